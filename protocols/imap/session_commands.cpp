#include "protocols/imap/session.h"
#include "protocols/wire/text.h"

namespace postern::imap {

std::string Session::capabilities() const {
    std::string out =
        "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE CHILDREN UNSELECT UIDPLUS MOVE "
        "SPECIAL-USE";
    if (may_start_tls()) out += " STARTTLS";
    if (authenticated_) return out;
    return out + (may_log_in() ? " AUTH=PLAIN AUTH=LOGIN" : " LOGINDISABLED");
}

void run(Session& session, command::Capability) {
    session.send("* CAPABILITY " + session.capabilities() + "\r\n");
    session.ok("CAPABILITY completed");
}

void run(Session& session, command::Noop) {
    session.ok("Completed");
}

void run(Session& session, command::Logout) {
    session.send("* BYE Until next time\r\n");
    session.view().reset();
    session.ok("LOGOUT completed");
    session.close();
}

void run(Session& session, command::Id) {
    session.send("* ID (\"name\" \"Postern\")\r\n");
    session.ok("ID completed");
}

// Nothing that is announced needs enabling yet.
void run(Session& session, command::Enable) {
    session.send("* ENABLED\r\n");
    session.ok("ENABLE completed");
}

void run(Session& session, command::Namespace) {
    session.send("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    session.ok("NAMESPACE completed");
}

void run(Session& session, command::Idle) {
    session.start_idle();
}

void Session::start_idle() {
    send("+ Waiting for news\r\n");
    mode_ = Mode::idle;
    refresh_due_ = true;  // what happened before counts as news
    cached_summary = {};  // an idle session should cost nothing
}

bool Session::step_idle() {
    if (refresh_due_ && view_) {
        refresh_due_ = false;
        ask_either<MailboxChanges>(
            Refresh{},
            [this](const MailboxChanges& changes) { send(view_->update(changes, true, false)); },
            [this](const Failure& failure) {
                log("cannot look for changes of the mailbox: " + failure.text);
            });
        return true;
    }
    const Framer::Event event = framer_.next(false);
    if (event == Framer::Event::need_more) return false;
    mode_ = Mode::command;
    if (event != Framer::Event::command) {
        on_line_error(event);
    } else if (wire::equals_ignoring_case(framer_.text(), "DONE")) {
        ok("IDLE completed");
    } else {
        bad("DONE was expected");
    }
    return true;
}

}  // namespace postern::imap

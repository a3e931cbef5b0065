#include "protocols/imap/response.h"
#include "protocols/imap/search_context.h"
#include "protocols/imap/session.h"
#include "protocols/imap/sync.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::imap {
namespace {

bool is_withheld(const Config& config, const std::string& capability) {
    const auto& names = config.withheld;
    return std::find(names.begin(), names.end(), capability) != names.end();
}

// Out of words with a space between them; not the first.
void erase_word(std::string& words, const std::string& word) {
    const std::size_t at = (words + ' ').find(' ' + word + ' ');
    if (at != std::string::npos) words.erase(at, word.size() + 1);
}

}  // namespace

// What needs a login is told after it alone: many a client takes the first list for the last.
std::string Session::capabilities() const {
    std::string out = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE";
    if (may_start_tls()) out += " STARTTLS";
    if (!authenticated_) {
        if (!may_log_in()) return out + " LOGINDISABLED";
        out += " AUTH=PLAIN AUTH=LOGIN";
        for (const std::string& each : config_.more_mechanisms) {
            if (tls_ || !each.ends_with("-PLUS")) out += " AUTH=" + each;
        }
        return out;
    }
    out +=
        " NAMESPACE CHILDREN UNSELECT UIDPLUS MOVE SPECIAL-USE CREATE-SPECIAL-USE XLIST "
        "LIST-EXTENDED LIST-STATUS LIST-MYRIGHTS LIST-METADATA STATUS=SIZE CONDSTORE QRESYNC "
        "ESEARCH SEARCHRES SEARCH=FUZZY WITHIN BINARY "
        "MULTIAPPEND CATENATE REPLACE UTF8=ACCEPT UNAUTHENTICATE OBJECTID SAVEDATE PREVIEW PARTIAL "
        "CONTEXT=SEARCH INPROGRESS "
        "SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES UIDONLY I18NLEVEL=1 QUOTA "
        "QUOTA=RES-STORAGE QUOTA=RES-MESSAGE METADATA NOTIFY ACL RIGHTS=kxte "
        "APPENDLIMIT=";
    out += std::to_string(config_.max_append_bytes);
    out += " MESSAGELIMIT=" + std::to_string(config_.message_limit);
    if (config_.compression_offered && !compressed_) out += " COMPRESS=DEFLATE";
    for (const std::string& each : config_.withheld) erase_word(out, each);
    return out;
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

void run(Session& session, const command::Id& command) {
    if (!command.text.empty()) session.log("client: " + format_text(command.text));
    session.send("* ID (\"name\" \"Postern\")\r\n");
    session.ok("ID completed");
}

void run(Session& session, const command::Enable& command) {
    Session::Enabled enabled = session.enabled();
    std::string said = "* ENABLED";
    for (const std::string& name : command.capabilities) {
        if (is_withheld(session.config(), name)) {
            continue;
        } else if (name == "CONDSTORE") {
            enabled.condstore = true;
        } else if (name == "QRESYNC") {
            enabled.qresync = enabled.condstore = true;
        } else if (name == "UTF8=ACCEPT") {
            enabled.utf8 = true;
        } else if (name == "IMAP4REV2") {
            enabled.rev2 = true;
        } else if (name == "UIDONLY") {
            enabled.uid_only = true;
        } else {
            continue;
        }
        said += ' ' + (name == "IMAP4REV2" ? std::string("IMAP4rev2") : name);
    }
    // RFC 9755 section 3: names of the selected mailbox's surroundings would change their spelling.
    if (enabled.utf8 && !session.enabled().utf8 && session.view()) {
        return session.bad("UTF8=ACCEPT is enabled before a mailbox is selected");
    }
    const bool asks_for_modseqs = enabled.condstore && !session.enabled().condstore;
    session.set_enabled(enabled);
    session.send(said + "\r\n");
    if (asks_for_modseqs && session.view()) session.send(session.view()->highest_modseq_line());
    session.ok("ENABLE completed");
}

void run(Session& session, command::Compress) {
    if (!session.config().compression_offered) return session.bad("COMPRESS is not offered");
    session.start_compression();
}

void Session::start_compression() {
    if (compressed_) return no("COMPRESSIONACTIVE", "The connection is compressed already");
    finish("OK", "", "DEFLATE active");
    effect(StartCompression{framer_.take_input()});
    compressed_ = true;
}

void run(Session& session, command::Unauthenticate) {
    session.ask<Done>(Unauthenticate{}, [&session](Done) { session.unauthenticated(); });
}

// RFC 8437: as after the greeting, but TLS and compression stay.
void Session::unauthenticated() {
    view_.reset();
    saved_.clear();
    enabled_ = {};
    notified_ = {};
    contexts_.clear();
    watch_due_ = false;
    cached_summary = {};
    authenticated_ = false;
    started_ = now_;
    ok_without_news("UNAUTHENTICATE completed", "CAPABILITY " + capabilities());
}

void run(Session& session, command::Namespace) {
    session.send("* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared/\" \"/\"))\r\n");
    session.ok("NAMESPACE completed");
}

void run(Session& session, command::Idle) {
    session.start_idle();
}

void Session::start_idle() {
    send("+ Waiting for news\r\n");
    mode_ = Mode::idle;
    refresh_due_ = true;  // what happened before counts as news
    news_at_ = now_;
    keepalive_at_ = now_ + config_.idle_keepalive;
    cached_summary = {};  // an idle session should cost nothing
}

// Whether changes of the selected mailbox are told now, between commands.
bool Session::tells_selected() const {
    if (!view_ || (mode_ != Mode::idle && mode_ != Mode::command)) return false;
    if (!notified_.set) return mode_ == Mode::idle;
    return notified_.selected && notified_.selected->messages;
}

bool Session::news_wait() const {
    if (refresh_due_ && tells_selected()) return true;
    return watch_due_ && (mode_ == Mode::idle || mode_ == Mode::command);
}

// In IDLE a phone is woken by every line: news wait a moment for company, and longer while they
// keep coming.
void Session::mailbox_changed() {
    const bool waited = news_wait();
    refresh_due_ = true;
    watch_due_ = notified_.watches;
    if (waited) return;
    const bool again = now_ - last_news_ < 10 * config_.idle_gather;
    news_at_ = now_ + (again ? 2 : 1) * config_.idle_gather;
}

bool Session::gather_news() {
    if (!news_wait() || now_ < news_at_) return false;
    if (!refresh_due_ || !tells_selected()) {
        watch_due_ = false;
        tell_news(*this, [] {});
        return true;
    }
    refresh_due_ = false;
    look_for_changes(
        [this](MailboxChanges changes) {
            const auto& selected = notified_.selected;
            if (selected && !selected->flags && contexts_.empty()) changes.flags.clear();
            const bool may_expunge = mode_ == Mode::idle || !selected->delayed;
            const std::size_t before = out_.size();
            tell_changes(std::move(changes), may_expunge, selected.has_value(), [] {});
            if (out_.size() != before) news_told();
        },
        [](const Failure&) {});
    return true;
}

void Session::tell_changes(MailboxChanges changes, bool may_expunge, bool with_uid,
                           std::function<void()> then) {
    UidSet fresh;
    const auto& selected = notified_.selected;
    if (selected && !selected->items.empty()) {
        fresh = changes.added - changes.vanished - view_->uids() - notified_.own;
    }
    notified_.own.clear();
    UidSet changed = changes.added;
    for (const FlagNews& news : changes.flags) changed.add(news.uid);
    // While the numbers of what goes are still the client's.
    if (may_expunge) tell_removed(*this, view_->vanished() | changes.vanished);
    send(view_->update(changes, may_expunge, with_uid));
    tell_updates(*this, changed & view_->uids(),
                 [this, fresh = std::move(fresh), then = std::move(then)] {
                     if (fresh.empty()) return then();
                     fetch_news(*this, fresh, notified_.selected->items, then);
                 });
}

bool Session::step_idle() {
    if (gather_news()) return true;
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

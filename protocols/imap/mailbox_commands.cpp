#include "protocols/imap/response.h"
#include "protocols/imap/session.h"

#include <functional>
#include <utility>

namespace postern::imap {
namespace {

constexpr const char* inbox = "INBOX";

void ask_done(Session& session, Question question, const char* text) {
    session.ask<Done>(std::move(question), [&session, text](Done) { session.ok(text); });
}

// Whatever the world says, the client has no mailbox afterwards.
void leave_mailbox(Session& session, std::function<void()> then) {
    session.view().reset();
    session.ask<Done>(CloseMailbox{}, [then = std::move(then)](Done) { then(); });
}

void open_mailbox(Session& session, command::Select command) {
    Question question = OpenMailbox{std::move(command.name), command.read_only};
    session.ask<MailboxOpened>(std::move(question), [&session](MailboxOpened opened) {
        session.view().emplace(std::move(opened));
        session.send(session.view()->opening_lines());
        session.ok_without_news("Mailbox selected",
                                session.view()->read_only() ? "READ-ONLY" : "READ-WRITE");
    });
}

std::string status_value(const StatusData& data, command::Status::Item item) {
    using Item = command::Status::Item;
    switch (item) {
        case Item::messages:
            return "MESSAGES " + std::to_string(data.messages);
        case Item::recent:
            return "RECENT " + std::to_string(data.recent);
        case Item::uid_next:
            return "UIDNEXT " + std::to_string(data.uid_next);
        case Item::uid_validity:
            return "UIDVALIDITY " + std::to_string(data.uid_validity);
        case Item::unseen:
            return "UNSEEN " + std::to_string(data.unseen);
    }
    return "";
}

}  // namespace

void run(Session& session, command::Select command) {
    if (!session.view()) return open_mailbox(session, std::move(command));
    leave_mailbox(session,
                  [&session, command = std::move(command)] { open_mailbox(session, command); });
}

void run(Session& session, command::Create command) {
    if (command.name == inbox) return session.no("ALREADYEXISTS", "INBOX is always there");
    ask_done(session, CreateMailbox{std::move(command.name), std::move(command.special_use)},
             "CREATE completed");
}

void run(Session& session, command::Delete command) {
    if (command.name == inbox) return session.no("CANNOT", "INBOX cannot be deleted");
    ask_done(session, DeleteMailbox{std::move(command.name)}, "DELETE completed");
}

void run(Session& session, command::Rename command) {
    if (command.to == inbox) return session.no("ALREADYEXISTS", "INBOX is always there");
    ask_done(session, RenameMailbox{std::move(command.from), std::move(command.to)},
             "RENAME completed");
}

void run(Session& session, command::Subscribe command) {
    const char* text = command.subscribed ? "SUBSCRIBE completed" : "UNSUBSCRIBE completed";
    ask_done(session, Subscribe{std::move(command.name), command.subscribed}, text);
}

void run(Session& session, command::Status command) {
    Question question = GetStatus{command.name};
    session.ask<StatusData>(
        std::move(question), [&session, command = std::move(command)](const StatusData& data) {
            std::string line = "* STATUS " + format_mailbox(command.name) + " (";
            for (const auto item : command.items) line += status_value(data, item) + ' ';
            line.back() = ')';
            session.send(line + "\r\n");
            session.ok("STATUS completed");
        });
}

void run(Session& session, command::Unselect) {
    leave_mailbox(session, [&session] { session.ok("UNSELECT completed"); });
}

void run(Session& session, command::Close) {
    const auto leave = [&session] {
        leave_mailbox(session, [&session] { session.ok("CLOSE completed"); });
    };
    if (session.view()->read_only()) return leave();
    session.ask<Expunged>(ExpungeMessages{}, [leave](const Expunged&) { leave(); });
}

void run(Session& session, const command::Expunge& command) {
    if (session.view()->read_only()) {
        return session.no("READ-ONLY", "The mailbox is open for reading only");
    }
    ExpungeMessages question;
    if (command.uids) question.among = session.view()->resolve(*command.uids, true);
    session.ask<Expunged>(std::move(question), [&session](const Expunged& expunged) {
        session.send(session.view()->expunge(expunged.uids));
        session.ok("EXPUNGE completed");
    });
}

}  // namespace postern::imap

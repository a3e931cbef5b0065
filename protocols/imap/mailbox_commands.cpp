#include "protocols/imap/message_limit.h"
#include "protocols/imap/search_context.h"
#include "protocols/imap/session.h"
#include "protocols/imap/status_line.h"
#include "protocols/imap/sync.h"

#include <functional>
#include <utility>

namespace postern::imap {
namespace {

constexpr const char* inbox_name = "INBOX";

void ask_done(Session& session, Question question, const char* text) {
    session.ask<Done>(std::move(question), [&session, text](Done) { session.ok(text); });
}

// Whatever the world says, the client has no mailbox afterwards.
void leave_mailbox(Session& session, std::function<void()> then) {
    session.view().reset();
    session.contexts().clear();
    session.ask<Done>(CloseMailbox{}, [then = std::move(then)](Done) { then(); });
}

// RFC 7162 section 3.2.5: what vanished and what changed since the client was last here. A known
// set narrows what is told of vanished UIDs; what changed, it has to be told in any case.
void resynchronize(Session& session, const command::Select::Qresync& known) {
    const auto done = [&session] {
        session.ok_without_news("Mailbox selected",
                                session.view()->read_only() ? "READ-ONLY" : "READ-WRITE");
    };
    if (known.uid_validity != session.view()->uid_validity()) return done();
    // Half told is not told: the client has no mailbox then.
    const auto failed = [&session](const Failure& failure) {
        leave_mailbox(session, [&session, failure] { session.fail(failure); });
    };
    session.ask_either<History>(
        GetHistory{known.modseq},
        [&session, known, done, failed](const History& history) {
            UidSet vanished = history.vanished;
            if (known.known) vanished &= named_uids(*known.known);
            send_vanished_earlier(session, vanished);
            fetch_changes(session, history.changed, done, failed);
        },
        failed);
}

void open_mailbox(Session& session, const command::Select& command) {
    if (command.condstore || command.qresync) session.enable_condstore();
    Question question = OpenMailbox{command.name, command.read_only};
    session.ask<MailboxOpened>(std::move(question), [&session, command](MailboxOpened opened) {
        opened.name = command.name;
        session.view().emplace(std::move(opened), session.style());
        session.send(session.view()->opening_lines());
        session.tell_name(command.name, true);
        if (command.qresync) return resynchronize(session, *command.qresync);
        session.ok_without_news("Mailbox selected",
                                session.view()->read_only() ? "READ-ONLY" : "READ-WRITE");
    });
}

}  // namespace

void run(Session& session, command::Select command) {
    if (command.qresync && !session.enabled().qresync) {
        return session.bad("Enable QRESYNC first");
    }
    session.saved().clear();
    if (!session.view()) return open_mailbox(session, command);
    leave_mailbox(session, [&session, command = std::move(command)] {
        session.send("* OK [CLOSED] The mailbox before is closed\r\n");
        open_mailbox(session, command);
    });
}

void run(Session& session, command::Create command) {
    if (command.name == inbox_name) return session.no("ALREADYEXISTS", "INBOX is always there");
    const auto created = [&session, name = command.name](const std::string& code) {
        session.tell_respelled(name, true);
        session.ok("CREATE completed", code);
    };
    session.ask<Done>(CreateMailbox{command.name, std::move(command.special_use)},
                      [&session, created, name = command.name](Done) {
                          // RFC 8474 section 4.1. The mailbox is there, also where its id cannot be
                          // read.
                          session.ask_either<StatusData>(
                              GetStatus{name},
                              [created](const StatusData& data) {
                                  created("MAILBOXID (" + data.mailbox_id + ')');
                              },
                              [&session, created](const Failure& failure) {
                                  session.log("cannot tell the new mailbox's id: " + failure.text);
                                  created("");
                              });
                      });
}

void run(Session& session, command::Delete command) {
    if (command.name == inbox_name) return session.no("CANNOT", "INBOX cannot be deleted");
    session.ask<Done>(DeleteMailbox{command.name}, [&session, name = command.name](Done) {
        const auto done = [&session] { session.ok("DELETE completed"); };
        session.tell_respelled(name, false);
        if (!session.view() || session.view()->name() != name) return done();
        leave_mailbox(session, [&session, done] {
            session.send("* OK [CLOSED] The selected mailbox was removed\r\n");
            done();
        });
    });
}

void run(Session& session, command::Rename command) {
    if (command.to == inbox_name) return session.no("ALREADYEXISTS", "INBOX is always there");
    session.ask<Done>(RenameMailbox{command.from, command.to}, [&session, command](Done) {
        // INBOX keeps its name, and its messages go.
        if (session.view() && command.from != inbox_name) {
            session.view()->renamed(command.from, command.to);
        }
        session.tell_respelled(command.to, true);
        session.ok("RENAME completed");
    });
}

void run(Session& session, command::Subscribe command) {
    const char* text = command.subscribed ? "SUBSCRIBE completed" : "UNSUBSCRIBE completed";
    ask_done(session, Subscribe{std::move(command.name), command.subscribed}, text);
}

void run(Session& session, command::Status command) {
    for (const auto item : command.items) {
        if (item == command::Status::Item::highest_modseq) session.enable_condstore();
    }
    Question question = status_question(command.name, command.items);
    session.ask<StatusData>(
        std::move(question), [&session, command = std::move(command)](const StatusData& data) {
            session.send(status_line(session, command.name, command.items, data));
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
    if (!session.view()->may('e')) return leave();
    session.ask_either<Expunged>(
        ExpungeMessages{}, [leave](const Expunged&) { leave(); },
        [&session, leave](const Failure& failure) {
            // Whoever removed the mailbox has left nothing to expunge.
            if (failure.code == "NONEXISTENT") return leave();
            session.fail(failure);
        });
}

namespace {

void expunge(Session& session, std::optional<UidSet> among, const std::string& limit) {
    session.ask<Expunged>(ExpungeMessages{std::move(among)}, [&session,
                                                              limit](const Expunged& expunged) {
        tell_removed(session, expunged.uids);
        session.send(session.view()->expunge(expunged.uids));
        const bool told = session.enabled().qresync && expunged.modseq != 0;
        ok_within_limit(session, "EXPUNGE completed",
                        told ? "HIGHESTMODSEQ " + std::to_string(expunged.modseq) : "", limit);
    });
}

// RFC 9738 section 3.1: what counts for the limit is what carries \Deleted.
void expunge_deleted(Session& session, UidSet among) {
    SearchKey named, deleted, both;
    named.kind = SearchKey::Kind::uids;
    named.uids = std::move(among);
    deleted.kind = SearchKey::Kind::system_flag;
    deleted.flag = static_cast<std::uint8_t>(SystemFlag::deleted);
    both.kind = SearchKey::Kind::and_;
    both.children = {std::move(named), std::move(deleted)};
    session.ask<SearchResult>(Search{std::move(both)}, [&session](SearchResult found) {
        const std::string limit = cut_to_message_limit(session, found.uids);
        expunge(session, std::move(found.uids), limit);
    });
}

}  // namespace

void run(Session& session, const command::Expunge& command) {
    if (session.view()->read_only()) {
        return session.no("READ-ONLY", "The mailbox is open for reading only");
    }
    if (!session.view()->may('e')) return session.no("NOPERM", "Expunging is not allowed here");
    if (!command.uids) return expunge(session, std::nullopt, "");
    UidSet among = session.resolve(*command.uids, true).value_or(UidSet());
    if (among.size() > session.config().message_limit) {
        return expunge_deleted(session, std::move(among));
    }
    expunge(session, std::move(among), "");
}

}  // namespace postern::imap

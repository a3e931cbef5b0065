#include "protocols/imap/message_limit.h"
#include "protocols/imap/pages.h"
#include "protocols/imap/response.h"
#include "protocols/imap/search_context.h"
#include "protocols/imap/session.h"

#include <memory>
#include <utility>

namespace postern::imap {
namespace {

constexpr const char* read_only_text = "The mailbox is open for reading only";
constexpr const char* no_such_number_text = "No message has that sequence number";
constexpr const char* expunged_text = "Somebody else has expunged these messages";

// One STORE, page by page: each page is stored and then told.
struct StoreRun : std::enable_shared_from_this<StoreRun> {
    StoreRun(Session& its_session, command::Store its_command, UidSet uids)
        : session(its_session),
          command(std::move(its_command)),
          limit(cut_to_message_limit(session, uids)),
          some_left(uids.empty()),
          pages(std::move(uids)) {}

    void next_page() {
        UidSet page = pages.next(store_page_uids);
        if (page.empty()) return finish();
        Question question = StoreFlags{page,
                                       command.mode,
                                       command.flags,
                                       command.unchanged_since,
                                       session.view()->style().modseq,
                                       command.silent};
        session.ask<FlagsStored>(std::move(question),
                                 [self = shared_from_this(), page](const FlagsStored& stored) {
                                     self->stored(page, stored);
                                 });
    }

    void stored(UidSet page, const FlagsStored& stored) {
        if (command.mode != FlagMode::remove && !stored.changed.empty()) {
            session.send(session.view()->tell_keywords(command.flags.keywords));
        }
        for (const FlagNews& news : stored.changed) {
            // Silent: the client works the flags out itself, unless it cannot know them.
            if (!command.silent || !stored.surprising.contains(news.uid)) {
                session.view()->told_flags(news.uid, news.flags);
            }
            tell(news);
            page.remove(news.uid);
        }
        modified |= stored.modified & page;
        // The client wants to see the flags also of those that had them before, and what the
        // others made of those that it may not change.
        if (command.silent || page.empty()) return go_on();
        unchanged = Pages(std::move(page));
        ask_unchanged();
    }

    void finish() {
        // RFC 2180 section 4.2.2.
        if (!some_left && !command.silent && !command.uid && !command.set.saved) {
            return session.no("EXPUNGEISSUED", expunged_text);
        }
        if (modified.empty()) return ok_within_limit(session, "STORE completed", "", limit);
        std::string numbers = modified.to_string();
        if (!command.uid) {
            UidSet positions;
            for (const Uid uid : modified.to_vector()) {
                positions.add(session.view()->sequence_of(uid));
            }
            numbers = positions.to_string();
        }
        ok_within_limit(session, "Some were changed by others", "MODIFIED " + numbers, limit);
    }

    void ask_unchanged() {
        UidSet some = unchanged.next(fetch_page_rows);
        if (some.empty()) return go_on();
        Question question = FetchRows{std::move(some), fetch_page_rows, false};
        session.ask<RowPage>(std::move(question), [self = shared_from_this()](const RowPage& page) {
            for (const MessageRow& row : page.rows) self->tell({row.uid, row.flags, row.modseq});
            self->ask_unchanged();
        });
    }

    void go_on() {
        session.later([self = shared_from_this()] { self->next_page(); });
    }

    // RFC 7162 section 3.1.3: the mod-sequence is told also when the flags are not to be.
    void tell(const FlagNews& news) {
        some_left = true;
        session.send(session.view()->flags_line(news, command.uid, !command.silent));
    }

    Session& session;
    command::Store command;
    const std::string limit;  // response code
    bool some_left;           // not all were expunged by others
    Pages pages;
    Pages unchanged;
    UidSet modified;
};

void copied(Session& session, const command::Copy& command, const MessagesCopied& copied,
            const std::string& limit) {
    std::string code;
    if (session.notified().selected && command.to == session.view()->name()) {
        for (const Uid uid : copied.to) session.notified().own.add(uid);
    }
    if (!copied.from.empty()) {
        code = "COPYUID " + std::to_string(copied.uid_validity) + ' ' +
               format_sequence(copied.from) + ' ' + format_sequence(copied.to);
    }
    if (!command.move) return session.ok("COPY completed", code);
    // RFC 6851 section 4.3: the client must learn the new UIDs before the old ones go.
    if (!code.empty()) session.send("* OK [" + code + "] Moved\r\n");
    UidSet gone;
    for (const Uid uid : copied.from) gone.add(uid);
    tell_removed(session, gone);
    session.send(session.view()->expunge(gone));
    ok_within_limit(session, "MOVE completed", "", limit);
}

}  // namespace

void run(Session& session, command::Store command) {
    if (session.view()->read_only()) return session.no("READ-ONLY", read_only_text);
    if (command.unchanged_since) session.enable_condstore();
    auto uids = session.resolve(command.set, command.uid);
    if (!uids) return session.bad(no_such_number_text);
    std::make_shared<StoreRun>(session, std::move(command), std::move(*uids))->next_page();
}

void run(Session& session, const command::Copy& command) {
    if (command.move && session.view()->read_only()) {
        return session.no("READ-ONLY", read_only_text);
    }
    auto uids = session.resolve(command.set, command.uid);
    if (!uids) return session.bad(no_such_number_text);
    if (uids->empty()) return session.ok("There was nothing to copy");
    const std::string limit = cut_to_message_limit(session, *uids);
    // A COPY is whole or not at all.
    if (!limit.empty() && !command.move) {
        return session.no(limit, too_many_messages_text);
    }
    // RFC 2180 section 4.4.1: a client that counts on its numbers may delete what it copied. One
    // that moves hears which it were, and UIDs that are gone are passed over.
    const bool whole = !command.move && !command.uid && !command.set.saved;
    Question question = CopyMessages{std::move(*uids), command.to, command.move, whole};
    session.ask_either<MessagesCopied>(
        std::move(question),
        [&session, command, limit](const MessagesCopied& answer) {
            copied(session, command, answer, limit);
        },
        [&session](const Failure& failure) {
            if (failure.code == "EXPUNGEISSUED") {
                return session.no_with_news(failure.code, failure.text);
            }
            if (failure.mailbox_gone) return session.fail(failure);
            // RFC 3501 section 6.4.7: tells the client that CREATE and another try would help.
            session.no(failure.code == "NONEXISTENT" ? "TRYCREATE" : failure.code, failure.text);
        });
}

}  // namespace postern::imap

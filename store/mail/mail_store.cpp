#include "store/mail/mail_store.h"

#include "store/blob/blob.h"
#include "store/kv/random_id.h"
#include "store/mail/annotations.h"
#include "store/mail/append_steps.h"
#include "store/mail/appending.h"
#include "store/mail/intents.h"
#include "store/mail/mailbox_names.h"
#include "store/mail/mailboxes.h"
#include "store/mail/operations.h"
#include "store/mail/own_seen.h"
#include "store/mail/reading.h"
#include "store/mail/transfer.h"

namespace postern::mail {

namespace {

// Larger bodies are stored on a thread of ours instead of the caller's: their parts come first.
constexpr std::size_t max_inline_body_bytes = blob::min_part_bytes - 1;

Result<void> replay(Mailboxes& mailboxes, const Intent& intent) {
    if (intent.kind == Intent::Kind::move) {
        const auto moved = replay_move(mailboxes, intent);
        // A mailbox that is gone since took its messages along by its owner's will.
        if (!moved && moved.error().code != Errc::not_found) return moved.error();
    } else if (intent.kind == Intent::Kind::remove_account) {
        const auto removed = remove_all_names(mailboxes, intent.account);
        if (!removed) return removed;
    } else if (intent.kind == Intent::Kind::append) {
        const auto undone = replay_append(mailboxes, intent);
        if (!undone) return undone;
    } else if (intent.kind == Intent::Kind::replace) {
        const auto done = replay_replace(mailboxes, intent);
        if (!done) return done;
    } else if (intent.kind == Intent::Kind::purge) {
        const auto table = read_names(mailboxes.store(), intent.account);
        if (!table) return table.error();
        bool in_use = intent.from.value == 0;
        for (const auto& [name, row] : table->names) in_use = in_use || row.id == intent.from;
        if (!in_use) {
            const auto purged = purge_mailbox(mailboxes, intent.from);
            if (!purged) return purged;
        }
    } else {
        // A later version's. To guess, or to forget it, could cost messages.
        return Error{Errc::corrupt, "unfinished work of a kind that this version does not know"};
    }
    return erase_intent(mailboxes.store(), intent.id);
}

class MailStoreOverShards final : public MailStore {
public:
    MailStoreOverShards(kv::Store& store, Clock clock) : mailboxes_(store, std::move(clock)) {}

    Result<void> replay_all() {
        const auto intents = read_intents(mailboxes_.store());
        if (!intents) return intents.error();
        for (const Intent& intent : *intents) {
            const auto replayed = replay(mailboxes_, intent);
            if (!replayed) return replayed;
        }
        return {};
    }

    void create_account(AccountId account, Done<void> done) override {
        mailboxes_.post([this, account, done = std::move(done)] {
            done(create_account_names(mailboxes_, account));
        });
    }

    void remove_account(AccountId account, Done<void> done) override {
        mailboxes_.post([this, account, done = std::move(done)] {
            Intent intent;
            intent.id = kv::random_id();
            intent.kind = Intent::Kind::remove_account;
            intent.account = account;
            auto result = write_intent(mailboxes_.store(), intent);
            if (result) result = remove_all_names(mailboxes_, account);
            if (result) static_cast<void>(erase_intent(mailboxes_.store(), intent.id));
            done(result);
        });
    }

    Result<std::vector<MailboxInfo>> list(AccountId account) override {
        const auto table = read_names(mailboxes_.store(), account);
        if (!table) return table.error();
        return list_of(*table);
    }

    Result<MailboxInfo> find(AccountId account, std::string_view name) override {
        const auto table = read_names(mailboxes_.store(), account);
        if (!table) return table.error();
        // Also what an earlier version called it.
        const auto wanted = name_meant(*table, name);
        if (!wanted) return wanted.error();
        return find_if(*table, [&](const MailboxInfo& info) { return info.name == *wanted; });
    }

    Result<MailboxInfo> find_special(AccountId account, SpecialUse use) override {
        const auto table = read_names(mailboxes_.store(), account);
        if (!table) return table.error();
        return find_if(*table, [&](const MailboxInfo& info) { return info.special_use == use; });
    }

    void create(AccountId account, std::string name, SpecialUse use,
                Done<MailboxInfo> done) override {
        with_name<MailboxInfo>(canonical_new_name(name), std::move(done),
                               [this, account, use](const std::string& canonical) {
                                   return create_name(mailboxes_, account, canonical, use);
                               });
    }

    void remove(AccountId account, std::string name, Done<void> done) override {
        with_name<void>(canonical_name(name), std::move(done),
                        [this, account](const std::string& canonical) {
                            return remove_name(mailboxes_, account, canonical);
                        });
    }

    void rename(AccountId account, std::string from, std::string to, Done<void> done) override {
        with_name<void>(canonical_name(from), std::move(done),
                        [this, account, to](const std::string& canonical) {
                            const auto target = canonical_new_name(to);
                            if (!target) return Result<void>(target.error());
                            return rename_name(mailboxes_, account, canonical, *target);
                        });
    }

    void subscribe(AccountId account, std::string name, bool subscribed, Done<void> done) override {
        with_name<void>(canonical_name(name), std::move(done),
                        [this, account, subscribed](const std::string& canonical) {
                            return subscribe_name(mailboxes_, account, canonical, subscribed);
                        });
    }

    Result<std::vector<std::string>> subscriptions(AccountId account) override {
        const auto table = read_names(mailboxes_.store(), account);
        if (!table) return table.error();
        return std::vector<std::string>(table->subscribed.begin(), table->subscribed.end());
    }

    Result<TextByName> annotations(AccountId account, MailboxId mailbox) override {
        return read_annotations(mailboxes_.store(), account, mailbox);
    }
    void annotate(AccountId account, MailboxId mailbox, std::vector<AnnotationChange> changes,
                  Done<void> done) override {
        change_annotations(mailboxes_, account, mailbox, changes, std::move(done));
    }
    Result<TextByName> rights(MailboxId mailbox) override {
        return read_rights(mailboxes_.store(), mailbox);
    }
    void set_rights(MailboxId mailbox, std::string identifier, std::string letters,
                    Done<void> done) override {
        change_rights(mailboxes_, mailbox, identifier, letters, std::move(done));
    }

    Result<std::vector<QuotaRoot>> quota(AccountId account) override {
        return mailboxes_.meter().roots(account);
    }
    void check_room(AccountId account, std::uint64_t bytes, QuotaRule rule,
                    Done<void> done) override {
        const auto check = [this, account, bytes, rule, done = std::move(done)] {
            auto room = mailboxes_.meter().reserve(account, {bytes, 1}, rule);
            const auto answer = room ? Result<void>() : Result<void>(room.error());
            // Given back before the answer: whoever asks again at once must not meet it.
            if (room) room->reset();
            done(answer);
        };
        if (mailboxes_.meter().is_ready(account)) return check();
        mailboxes_.post(check);
    }
    Result<std::vector<QuotaWarning>> quota_warnings() override {
        return mailboxes_.meter().warnings();
    }
    void warned(QuotaWarning warning, Done<void> done) override {
        mailboxes_.post([this, warning = std::move(warning), done = std::move(done)] {
            done(mailboxes_.meter().warned(warning));
        });
    }

    void set_own_seen(MailboxId mailbox, bool on, Done<void> done) override {
        mailboxes_.submit(mailbox, own_seen_operation(on, std::move(done)));
    }
    void end_seen(MailboxId mailbox, AccountId account, Done<void> done) override {
        mailboxes_.submit(mailbox, end_seen_operation(account, std::move(done)));
    }
    void forget_seen(MailboxId mailbox, AccountId account, Done<void> done) override {
        mailboxes_.submit(mailbox, forget_seen_operation(account, std::move(done)));
    }

    Result<MailboxState> state(Viewed mailbox) override {
        const auto sets = mailboxes_.queue(mailbox.id)->sets();
        if (!sets) return sets.error();
        return (*sets)->state(mailbox.viewer);
    }

    Result<Status> status(Viewed mailbox) override {
        const auto sets = mailboxes_.queue(mailbox.id)->sets();
        if (!sets) return sets.error();
        return status_of(**sets, mailbox.viewer);
    }

    Result<std::vector<MessageRow>> rows(Viewed mailbox, const UidSet& uids, std::size_t limit,
                                         bool with_summary) override {
        const auto sets = mailboxes_.queue(mailbox.id)->sets();
        if (!sets) return sets.error();
        return read_rows(mailboxes_.store(), **sets, mailbox.viewer, uids, limit, with_summary);
    }

    Result<UidSet> with_flag(Viewed mailbox, SystemFlag flag) override {
        const auto sets = mailboxes_.queue(mailbox.id)->sets();
        if (!sets) return sets.error();
        if (flag == SystemFlag::seen) return (*sets)->seen_by(mailbox.viewer);
        return (*sets)->set(set_of(flag));
    }

    Result<UidSet> with_keyword(MailboxId mailbox, std::string_view keyword) override {
        const auto sets = mailboxes_.queue(mailbox)->sets();
        if (!sets) return sets.error();
        const int slot = (*sets)->slot_of(keyword);
        if (slot < 0) return UidSet();
        return (*sets)->set(static_cast<SetNumber>(first_keyword_set + slot));
    }

    Result<Changes> changes_since(Viewed mailbox, ModSeq since) override {
        const auto sets = mailboxes_.queue(mailbox.id)->sets();
        if (!sets) return sets.error();
        return read_changes(mailboxes_.store(), **sets, mailbox.viewer, since);
    }

    Result<std::string> read(const BlobId& blob, std::uint64_t offset,
                             std::uint64_t length) override {
        return blob::read(mailboxes_.store(), blob, offset, length);
    }

    Result<std::string> report(MailboxId mailbox, Uid uid) override {
        auto row = mailboxes_.store().get(mailbox_shard(mailbox), uid_key('r', uid));
        if (!row) return row.error();
        return *row ? std::move(**row) : std::string();
    }

    Result<std::map<Uid, std::string>> uidls(MailboxId mailbox) override {
        const auto sets = mailboxes_.queue(mailbox)->sets();
        if (!sets) return sets.error();
        return read_uidls(mailboxes_.store(), **sets);
    }

    std::shared_ptr<void> watch(MailboxId mailbox, std::function<void()> changed) override {
        return mailboxes_.store().watch(mailbox_shard(mailbox), std::move(changed));
    }
    std::shared_ptr<void> watch_account(AccountId account, std::function<void()> changed) override {
        return mailboxes_.store().watch(account_shard(account), std::move(changed));
    }

    void append(Viewed mailbox, NewMessage message, OperationId operation,
                Done<Appended> done) override {
        if (auto checked = check_message(message); !checked) return done(checked.error());
        const auto sets = mailboxes_.queue(mailbox.id)->sets();
        if (!sets) return done(sets.error());
        const AccountId owner = (*sets)->head.owner;
        const bool is_slow =
            message.bytes->size() > max_inline_body_bytes ||
            (message.quota != QuotaRule::none && !mailboxes_.meter().is_ready(owner));
        auto append = [this, mailbox, owner, message = std::move(message), operation,
                       done = std::move(done)]() mutable {
            append_message(mailboxes_, mailbox, owner, std::move(message), operation,
                           std::move(done));
        };
        if (!is_slow) return append();
        mailboxes_.post(std::move(append));
    }

    void append_together(Viewed mailbox, std::vector<NewMessage> messages, Replaced replaced,
                         Done<std::vector<Appended>> done) override {
        auto then = [this, mailbox, replaced,
                     done = std::move(done)](Result<std::vector<Appended>> appended) {
            const bool replaces = appended && replaced.uid != 0 && replaced.mailbox == mailbox.id;
            done(std::move(appended));
            if (replaces) mailboxes_.collect_garbage_soon(mailbox.id);
        };
        mailboxes_.post([this, mailbox, messages = std::move(messages), replaced,
                         then = std::move(then)]() mutable {
            append_messages(mailboxes_, mailbox, std::move(messages), replaced, std::move(then));
        });
    }

    void append_stored(MailboxId mailbox, BlobId blob, std::uint64_t size, NewMessage message,
                       OperationId operation, Done<Appended> done) override {
        AppendInput input = append_input(std::move(message), size, operation);
        input.blob = blob;
        mailboxes_.post(
            [this, mailbox, input = std::move(input), done = std::move(done)]() mutable {
                done(append_stored_message(mailboxes_, mailbox, std::move(input)));
            });
    }

    void change_flags(Viewed mailbox, UidSet uids, FlagChange change,
                      Done<FlagResult> done) override {
        mailboxes_.submit(mailbox.id, flags_operation(mailbox.viewer, std::move(uids),
                                                      std::move(change), std::move(done)));
    }

    void copy(Viewed from, UidSet uids, MailboxId to, Done<Copied> done) override {
        mailboxes_.post([this, from, uids = std::move(uids), to, done = std::move(done)] {
            done(copy_messages(mailboxes_, from, uids, to));
        });
    }

    void move(Viewed from, UidSet uids, MailboxId to, Done<Copied> done) override {
        mailboxes_.post([this, from, uids = std::move(uids), to, done = std::move(done)] {
            auto moved = move_messages(mailboxes_, from, uids, to);
            // What was moved before a failure stays moved, and the client must hear of it.
            if (moved.failed && moved.copied.from.empty()) return done(*moved.failed);
            done(std::move(moved.copied));
        });
    }

    void expunge(MailboxId mailbox, UidSet uids, bool any, Done<UidSet> done) override {
        auto then = [this, mailbox, done = std::move(done)](Result<UidSet> expunged) {
            const bool some = expunged && !expunged->empty();
            done(std::move(expunged));
            if (some) mailboxes_.collect_garbage_soon(mailbox);
        };
        mailboxes_.submit(mailbox, expunge_operation(std::move(uids), any, std::move(then)));
    }

    void take_recent(MailboxId mailbox, Done<UidSet> done) override {
        done(mailboxes_.queue(mailbox)->take_recent());
    }

private:
    template <class Match>
    Result<MailboxInfo> find_if(const NameTable& table, Match match) {
        for (MailboxInfo& info : list_of(table)) {
            if (match(info)) return std::move(info);
        }
        return Error{Errc::not_found, "no such mailbox"};
    }

    template <class T, class Work>
    void with_name(Result<std::string> canonical, Done<T> done, Work work) {
        if (!canonical) return done(canonical.error());
        mailboxes_.post(
            [name = std::move(*canonical), done = std::move(done), work] { done(work(name)); });
    }

    Mailboxes mailboxes_;
};

}  // namespace

Result<std::unique_ptr<MailStore>> MailStore::open(kv::Store& store, Clock clock, bool replay) {
    auto opened = std::make_unique<MailStoreOverShards>(store, std::move(clock));
    if (replay) {
        const auto replayed = opened->replay_all();
        if (!replayed) return replayed.error();
    }
    return std::unique_ptr<MailStore>(std::move(opened));
}

}  // namespace postern::mail

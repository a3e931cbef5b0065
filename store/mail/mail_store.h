// Mailboxes of all accounts: names, messages, flags, moves.
//
// Thread rule: any function from any thread. Functions that change something take a Done callback,
// called exactly once on a store thread after the change is durable; it must not block. `wait`
// (below) turns one into a plain call for tools. Reads are direct and do not wait for writers.
//
// Changes of one mailbox are queued and joined into few batches (store/kv group commit); all are
// exactly once also across a crash: cross-mailbox work is an intent that is replayed at open.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"
#include "store/mail/types.h"

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <span>

namespace postern::mail {

template <class T>
using Done = std::function<void(Result<T>)>;

using Clock = std::function<Time()>;

class MailStore {
public:
    // `store` must outlive this. `replay`: finish moves and deletions that a crash interrupted;
    // only for the one process that serves (the holder of the instance lock), since another's work
    // under way looks just the same.
    static Result<std::unique_ptr<MailStore>> open(kv::Store& store, Clock clock,
                                                   bool replay = true);
    virtual ~MailStore() = default;

    // --- names (RFC 9051 section 6.3). All names are UTF-8 with '/' between levels; they are kept
    // and told in normalization form C, and taken in any form (RFC 5198). ---

    // Makes INBOX, Drafts, Sent, Junk, Trash and Archive with their special uses, subscribed.
    // Harmless when they exist.
    virtual void create_account(AccountId account, Done<void> done) = 0;
    virtual void remove_account(AccountId account, Done<void> done) = 0;
    virtual Result<std::vector<MailboxInfo>> list(AccountId account) = 0;  // ascending by name
    virtual Result<MailboxInfo> find(AccountId account, std::string_view name) = 0;
    virtual Result<MailboxInfo> find_special(AccountId account, SpecialUse use) = 0;
    // Parents are made too. Errors: exists, unsupported (the special use is taken),
    // invalid, limit.
    virtual void create(AccountId account, std::string name, SpecialUse use,
                        Done<MailboxInfo> done) = 0;
    // Children stay; with children the name stays as not selectable. Errors: not_found, permission
    // (INBOX).
    virtual void remove(AccountId account, std::string name, Done<void> done) = 0;
    // Children move along. INBOX: its messages move into the new name. Errors: not_found, exists,
    // invalid.
    virtual void rename(AccountId account, std::string from, std::string to, Done<void> done) = 0;
    virtual void subscribe(AccountId account, std::string name, bool subscribed,
                           Done<void> done) = 0;
    // Also names that were subscribed and do not exist any more.
    virtual Result<std::vector<std::string>> subscriptions(AccountId account) = 0;

    // --- annotations (RFC 5464) and rights (RFC 4314); they change no modseq ---

    // Those that `account` may see: its own private ones and the shared ones, by lower-case name.
    // Mailbox 0: the account's own, that belong to no mailbox.
    virtual Result<std::map<std::string, std::string>> annotations(AccountId account,
                                                                   MailboxId mailbox) = 0;
    // All or nothing. Errors: invalid (name), too_large (value), limit, not_found.
    virtual void annotate(AccountId account, MailboxId mailbox,
                          std::vector<AnnotationChange> changes, Done<void> done) = 0;
    // Identifier -> letters, as set; the owner is not among them.
    virtual Result<std::map<std::string, std::string>> rights(MailboxId mailbox) = 0;
    // No letters: the identifier goes. Errors: invalid (identifier, letters), limit, not_found.
    virtual void set_rights(MailboxId mailbox, std::string identifier, std::string letters,
                            Done<void> done) = 0;

    // --- \Seen: the mailbox's, or each account's own (ADR 0020) ---

    // On: everybody but the owner begins with \Seen as it is, and from then on has it alone. Off:
    // everybody sees the owner's. Harmless when it is so already. Errors: limit (max_seen_ranges),
    // not_found.
    virtual void set_own_seen(MailboxId mailbox, bool on, Done<void> done) = 0;
    // Of an account that may not see the mailbox any more: its place is another's, and should it
    // come back it begins as everybody did.
    virtual void end_seen(MailboxId mailbox, AccountId account, Done<void> done) = 0;
    // Of an account that is gone.
    virtual void forget_seen(MailboxId mailbox, AccountId account, Done<void> done) = 0;

    // --- quota: limits are set through Pools (pools.h) ---

    // The roots that the account's mail counts against: none, its own cap, its pool, or both.
    virtual Result<std::vector<QuotaRoot>> quota(AccountId account) = 0;
    // Whether a message of so many bytes would be taken now. Errors: over_quota (full now),
    // too_large (more than the limit itself), unavailable. Answers at once, on the caller's thread,
    // unless the sums have to be read first.
    virtual void check_room(AccountId account, std::uint64_t bytes, QuotaRule rule,
                            Done<void> done) = 0;
    // Levels reached and not yet told, of all roots that are in use. Tell with an append under the
    // warning's operation id, then call warned: told again after a crash between, it arrives once.
    virtual Result<std::vector<QuotaWarning>> quota_warnings() = 0;
    virtual void warned(QuotaWarning warning, Done<void> done) = 0;

    // --- reading ---

    virtual Result<MailboxState> state(Viewed mailbox) = 0;
    virtual Result<Status> status(Viewed mailbox) = 0;
    // Rows of those uids that exist, ascending, at most limit (<= 1,000); with_summary false leaves
    // it empty.
    virtual Result<std::vector<MessageRow>> rows(Viewed mailbox, const UidSet& uids,
                                                 std::size_t limit, bool with_summary) = 0;
    virtual Result<UidSet> with_flag(Viewed mailbox, SystemFlag flag) = 0;
    virtual Result<UidSet> with_keyword(MailboxId mailbox, std::string_view keyword) = 0;
    virtual Result<Changes> changes_since(Viewed mailbox, ModSeq since) = 0;
    // Bytes [offset, offset + length) of a stored message, fewer at its end.
    virtual Result<std::string> read(const BlobId& blob, std::uint64_t offset,
                                     std::uint64_t length) = 0;
    virtual Result<std::string> report(MailboxId mailbox, Uid uid) = 0;  // empty when none is kept
    // Of the messages that brought one along (NewMessage::uidl), moved and copied ones too.
    virtual Result<std::map<Uid, std::string>> uidls(MailboxId mailbox) = 0;
    // A hint after changes of the mailbox; see kv::Store::watch.
    virtual std::shared_ptr<void> watch(MailboxId mailbox, std::function<void()> changed) = 0;
    // Likewise of the account's names, subscriptions and own annotations.
    virtual std::shared_ptr<void> watch_account(AccountId account,
                                                std::function<void()> changed) = 0;

    // --- changing ---

    // `operation` makes a delivery exactly once: the same id again answers the first outcome.
    // An empty id is not remembered. Errors: not_found, limit, invalid (keyword, uidl), too_large,
    // over_quota, unavailable.
    virtual void append(Viewed mailbox, NewMessage message, OperationId operation,
                        Done<Appended> done) = 0;
    // Appends them in this order, all or none, also across a crash (RFC 3502). Not remembered.
    // Errors: as append; limit also for more than max_appended_at_all. Others see all at once where
    // they fit into one batch (max_appended_together, max_together_bytes, max_together_keywords).
    // One message may replace another, whose room counts as free and which goes then: in the same
    // batch where it is of the same mailbox, else right after, or neither is done (RFC 8508).
    virtual void append_together(Viewed mailbox, std::vector<NewMessage> messages,
                                 Replaced replaced, Done<std::vector<Appended>> done) = 0;
    // As append, of a body that is stored already (delivery from the spool): no body is written
    // again, and no quota is asked.
    virtual void append_stored(MailboxId mailbox, BlobId blob, std::uint64_t size,
                               NewMessage message, OperationId operation, Done<Appended> done) = 0;
    // Uids that do not exist are passed over. Errors: limit (keywords,
    // max_seen_accounts_per_mailbox), invalid (keyword).
    virtual void change_flags(Viewed mailbox, UidSet uids, FlagChange change,
                              Done<FlagResult> done) = 0;
    // Errors of copy: over_quota too; a move within an account takes no room.
    // Within an account's mailboxes everybody's own \Seen comes along, else only the viewer's.
    virtual void copy(Viewed from, UidSet uids, MailboxId to, Done<Copied> done) = 0;
    virtual void move(Viewed from, UidSet uids, MailboxId to, Done<Copied> done) = 0;
    // Removes those of `uids` that carry \Deleted (or all of them when `any` is true); answers
    // which.
    virtual void expunge(MailboxId mailbox, UidSet uids, bool any, Done<UidSet> done) = 0;
    // Takes the recent set for one session (RFC 3501 section 2.3.2); later callers get the rest.
    // Answers at once, on the caller's thread; durable with the mailbox's next change (ADR 0032).
    virtual void take_recent(MailboxId mailbox, Done<UidSet> done) = 0;
};

// Runs `start(done)` and waits for its result. Not on a store thread.
template <class T, class Start>
Result<T> wait(Start start) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    start([promise](Result<T> result) { promise->set_value(std::move(result)); });
    return future.get();
}

}  // namespace postern::mail

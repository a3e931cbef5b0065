// One batch on a mailbox's shard in the making: the picture before, what joined operations change,
// and the picture after. Not shared between threads.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"
#include "store/mail/mailbox_sets.h"
#include "store/mail/rows.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace postern::mail {

// Bounds of one joined batch, below the seam's own, so that head, bitmaps and journal fit besides.
inline constexpr std::size_t max_change_rows = 600;
inline constexpr std::size_t max_change_bytes = 200 * 1024;
inline constexpr std::size_t max_change_bitmaps =
    20;  // up to 9 KiB each; one message may add 70 more
inline constexpr std::size_t max_change_blob_bytes = 16 * 1024 * 1024;

// What is kept beside a message's row; empty: nothing.
struct MessageTexts {
    std::string summary;
    std::string report;
    std::string uidl;
};

class MailboxChange {
public:
    MailboxChange(kv::Store& store, SetsPtr before, Time now);

    kv::Store& store() { return store_; }
    const MailboxSets& before() const { return *before_; }
    const MailboxSets& now_so_far() const { return after_; }
    ModSeq modseq() const { return before_->head.highest_modseq + 1; }
    Time time() const { return time_; }

    // Whether so much more fits. An empty change has room for any one message.
    bool has_room(std::size_t rows, std::size_t bytes) const;
    bool empty() const { return !changed_; }

    Result<std::optional<StoredMessage>> message(Uid uid);
    Result<std::optional<Uid>> outcome_of(const OperationId& operation);

    // Slots for these names, made when new: a bit for each. Errors, with nothing changed: limit,
    // invalid.
    Result<std::uint64_t> keyword_bits(const std::vector<std::string>& names);

    // Errors: limit, when there are not so many UIDs left.
    Result<void> has_uids(std::size_t count) const;
    // Gives `message` the next UID, of which there must be one, and this change's modseq.
    Uid add(StoredMessage message, MessageTexts texts);
    void attach_blob(const BlobId& id, std::shared_ptr<const std::string> framed);
    void remember(const OperationId& operation, Uid uid);
    // New flags of a message that is there.
    void set_flags(StoredMessage message, std::uint8_t system_flags, std::uint64_t keywords);
    void remove(const StoredMessage& message);
    void forget_garbage(const BlobId& blob, std::uint64_t owner);
    // --- each account's own \Seen (ADR 0020) ---

    // Errors: limit, when too many accounts have their own already. One that differs in no message
    // that is there gives its place to the next.
    Result<void> may_mark(AccountId account) const;
    // Whether \Seen of the message is for that account other than for account 0. For account 0:
    // whether everybody begins with it.
    void set_mark(AccountId account, Uid uid, bool marked);
    // The account is told of this change of \Seen, and nobody else. Account 0: everybody.
    void log_seen(AccountId account, const UidSet& uids);
    // Whether that was done for `uid` in this change already.
    bool is_logged(AccountId account, Uid uid) const;
    // From common to own and back; rows `v` of before are none, and stay, respectively. Needs an
    // empty change. Errors: limit (max_seen_ranges).
    Result<void> begin_own_seen();
    Result<void> end_own_seen();
    // The account sees again what account 0 has seen, and is told so: among the 65,536 UIDs.
    void end_marks(AccountId account, std::uint16_t high);
    // All of an account's marks go from the picture; its rows are the caller's to erase.
    void forget_marks(AccountId account);

    // A row that is no message's and counts for no modseq.
    void set_extra(const std::string& key, const std::optional<std::string>& value);
    // Keys that are stored and begin so.
    Result<std::set<std::string>> extra_keys(const std::string& prefix);

    // Ends the change: the batch to commit and the picture once it is. Errors: corrupt,
    // unavailable.
    Result<kv::Batch> batch();
    SetsPtr after() const { return std::make_shared<const MailboxSets>(after_); }

private:
    int free_slot(std::vector<std::string>& slots, std::uint64_t taken) const;
    void put(std::string key, std::string value);
    void erase(std::string key);
    void change_set(SetNumber number, Uid uid, bool member);
    void put_bitmaps(kv::Batch& batch) const;
    // An account that gives up its place; account 0: nobody does.
    AccountId spare_place() const;
    void take_place_of(AccountId spare);
    UidSet& own_marks_of(AccountId account);
    Result<void> put_seen();
    Result<void> join_oldest_log(AccountId account, std::uint16_t high);
    Result<void> trim_journal();

    kv::Store& store_;
    SetsPtr before_;
    MailboxSets after_;
    Time time_;
    bool changed_ = false;
    bool modseq_used_ = false;
    std::size_t bytes_ = 0;
    std::size_t blob_bytes_ = 0;
    std::map<std::string, std::optional<std::string>> rows_;
    std::map<Uid, std::optional<StoredMessage>> messages_;
    std::map<OperationId, Uid> outcomes_;
    std::map<SetNumber, std::shared_ptr<UidSet>> own_sets_;
    std::set<std::pair<SetNumber, std::uint16_t>> touched_;
    std::map<AccountId, std::shared_ptr<UidSet>> own_marks_;
    std::map<AccountId, UidSet> seen_log_;
    std::map<std::pair<AccountId, std::uint16_t>, bool> seen_parts_;  // true: marks too
    JournalEntry journal_;
    std::vector<kv::BlobPut> blobs_;
};

}  // namespace postern::mail

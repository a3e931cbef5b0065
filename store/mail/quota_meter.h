// What accounts and pools use: sums over their mailboxes, kept in memory.
//
// Nothing of it is stored. A sum is read when it is first needed and then follows every change that
// a queue reads or commits; a crash forgets it, and the next reading gives the exact sum again.
// Other processes' changes show when the mailbox is next used here, at the latest after a
// re-reading.
//
// Thread rule: any thread. Functions that may read a sum can take long for a large pool.
#pragma once

#include "store/kv/kv.h"
#include "store/mail/pools.h"
#include "store/mail/types.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace postern::mail {

// What mail takes of a quota.
struct QuotaUse {
    std::uint64_t bytes = 0, messages = 0;
    QuotaUse& operator+=(const QuotaUse& other) {
        bytes += other.bytes;
        messages += other.messages;
        return *this;
    }
    QuotaUse& operator-=(const QuotaUse& other) {
        bytes -= other.bytes;
        messages -= other.messages;
        return *this;
    }
    bool operator==(const QuotaUse&) const = default;
};

class QuotaMeter {
public:
    explicit QuotaMeter(kv::Store& store) : store_(store), pools_(store) {}

    // Room taken for something under way; given back when the last owner lets go. Any thread.
    class Room {
    public:
        Room(QuotaMeter& meter, AccountId account, std::uint64_t pool, QuotaUse room)
            : meter_(meter), account_(account), pool_(pool), left_(room) {}
        ~Room();
        Room(const Room&) = delete;
        Room& operator=(const Room&) = delete;
        // The mailbox's own sum tells of that much now. No more than is left.
        void give_back(QuotaUse part);

    private:
        QuotaMeter& meter_;
        const AccountId account_;
        const std::uint64_t pool_;
        QuotaUse left_;  // guarded by the meter's mutex_
    };
    using Hold = std::shared_ptr<Room>;
    // nullptr: there is no limit to keep. Errors: over_quota, too_large, unavailable. Must outlive
    // what it gave.
    Result<Hold> reserve(AccountId account, QuotaUse room, QuotaRule rule);

    Result<std::vector<QuotaRoot>> roots(AccountId account);
    // Whether reserve and roots will answer without reading mailboxes. Errors count as yes.
    bool is_ready(AccountId account);

    // What a mailbox holds, as read or committed.
    void note(MailboxId mailbox, AccountId owner, ModSeq modseq, QuotaUse holds);
    void forget(MailboxId mailbox);  // it is removed for good

    Result<std::vector<QuotaWarning>> warnings();
    Result<void> warned(const QuotaWarning& warning);

private:
    using Clock = std::chrono::steady_clock;
    struct Box {
        AccountId owner;
        ModSeq modseq = 0;
        QuotaUse holds;
    };
    struct Use {
        QuotaUse all;
        std::uint64_t pool = 0;
        std::vector<MailboxId> boxes;
    };
    struct PoolUse {
        QuotaUse all;
        Id128 version;
        std::vector<AccountId> accounts;
        Clock::time_point read_at;
        Clock::duration reading{};
    };
    // Both roots of an account, with their limits; a limit of 0 is none.
    struct View {
        AccountQuota quota;
        std::optional<Pool> pool;
        QuotaUse pool_use;
        QuotaUse own_use;

        QuotaRoot pool_root() const;
        QuotaRoot own_root() const;
    };

    Result<View> view(AccountId account);
    bool is_fresh(AccountId account, const AccountQuota& quota, const std::optional<Pool>& pool);
    Result<void> load(AccountId account, const AccountQuota& quota,
                      const std::optional<Pool>& pool);
    Result<void> load_account(AccountId account, std::uint64_t pool);
    void drop_pool(std::uint64_t pool);
    void drop_account(AccountId account);
    void note_locked(MailboxId mailbox, const Box& box);
    Result<void> add_warning(std::vector<QuotaWarning>& found, const QuotaRoot& root,
                             std::uint64_t pool, AccountId account);

    kv::Store& store_;
    Pools pools_;
    std::mutex loading_;  // one reading at a time; taken before mutex_
    std::mutex mutex_;    // guards all below
    std::map<MailboxId, Box> boxes_;
    std::map<AccountId, Use> accounts_;
    std::map<std::uint64_t, PoolUse> pool_uses_;
    std::map<AccountId, QuotaUse> held_by_account_;
    std::map<std::uint64_t, QuotaUse> held_by_pool_;
};

}  // namespace postern::mail

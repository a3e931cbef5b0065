// The operations that wait for one mailbox, joined into as few batches as they fit in, one batch
// under way at a time: with compare-and-retry alone, contending writers would mostly lose.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"
#include "store/kv/worker_pool.h"
#include "store/mail/mailbox_change.h"
#include "store/mail/mailbox_sets.h"
#include "store/mail/quota_meter.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace postern::mail {

// One requested change. Called by one thread at a time.
class MailboxOperation {
public:
    enum class Step { fits, full };

    virtual ~MailboxOperation() = default;
    // Adds as much of the work as has room; `full`: nothing at all had. Called again for the same
    // step after a lost race, with another change. An error must leave `change` as it was.
    virtual Result<Step> apply(MailboxChange& change) = 0;
    // The last applied step is durable. True: nothing is left to do.
    virtual bool confirm() = 0;
    // The end, called once. Must not block.
    virtual void finish(Result<void> outcome) = 0;
};

class MailboxQueue : public std::enable_shared_from_this<MailboxQueue> {
public:
    MailboxQueue(kv::Store& store, MailboxId mailbox, kv::WorkerPool& workers,
                 std::function<Time()> clock, kv::BusyCount& busy, QuotaMeter& meter);

    MailboxId id() const { return mailbox_; }
    void submit(std::shared_ptr<MailboxOperation> operation);

    // The current picture, from memory while the stored head is unchanged.
    Result<SetsPtr> sets();
    // See MailStore::take_recent. Written with the mailbox's next change: \Recent may come twice
    // after a crash (RFC 3501 section 2.3.2 allows that), and a commit for it would make each
    // delivery to a mailbox that is open cost two.
    Result<UidSet> take_recent();

private:
    using Operations = std::deque<std::shared_ptr<MailboxOperation>>;

    void run();
    void join(MailboxChange& change);
    void settle(kv::CommitResult result, SetsPtr after);
    void confirm_applied();
    void retry_or_fail(const kv::CommitResult& result);
    void fail_all(const Error& error);
    bool take_waiting();
    void rest();
    void forget_sets();
    SetsPtr without_taken(SetsPtr sets) const;
    void note(const MailboxSets& sets);

    kv::Store& store_;
    const MailboxId mailbox_;
    kv::WorkerPool& workers_;
    const std::function<Time()> clock_;
    kv::BusyCount& busy_;  // counts this queue while running_
    QuotaMeter& meter_;

    std::mutex mutex_;  // guards waiting_, running_, cached_, recent_taken_
    Operations waiting_;
    bool running_ = false;
    SetsPtr cached_;
    Uid recent_taken_ = 1;  // recent messages before this one belong to a session

    // Owned by whoever runs: running_ admits one.
    Operations joined_;        // in order, not yet complete
    std::size_t applied_ = 0;  // how many of joined_ are in the batch under way
    int lost_races_ = 0;
};

}  // namespace postern::mail

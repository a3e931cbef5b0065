#include "store/mail/mailbox_queue.h"

#include <algorithm>
#include <utility>

namespace postern::mail {

namespace {
// Another process lost to us or we to it: each try is a fresh read, so this many losses mean a
// fault.
constexpr int max_lost_races = 100;
}  // namespace

MailboxQueue::MailboxQueue(kv::Store& store, MailboxId mailbox, kv::WorkerPool& workers,
                           std::function<Time()> clock, kv::BusyCount& busy, QuotaMeter& meter)
    : store_(store),
      mailbox_(mailbox),
      workers_(workers),
      clock_(std::move(clock)),
      busy_(busy),
      meter_(meter) {}

void MailboxQueue::submit(std::shared_ptr<MailboxOperation> operation) {
    {
        std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(operation));
        if (running_) return;
        running_ = true;
        busy_.begin();
    }
    run();
}

Result<SetsPtr> MailboxQueue::sets() {
    const auto head = store_.get(mailbox_shard(mailbox_), head_key);
    if (!head) return head.error();
    if (!*head) return Error{Errc::not_found, "no such mailbox"};
    {
        std::lock_guard lock(mutex_);
        if (cached_ && cached_->raw_head == **head) return cached_;
    }
    auto loaded = load_sets(store_, mailbox_);
    if (!loaded) return loaded;
    note(**loaded);
    std::lock_guard lock(mutex_);
    cached_ = without_taken(*std::move(loaded));
    return cached_;
}

// With the lock held.
SetsPtr MailboxQueue::without_taken(SetsPtr sets) const {
    const Uid taken = std::min(recent_taken_, sets->head.uid_next);
    if (sets->head.recent_from >= taken) return sets;
    auto changed = std::make_shared<MailboxSets>(*sets);
    changed->head.recent_from = taken;
    return changed;
}

Result<UidSet> MailboxQueue::take_recent() {
    const auto current = sets();
    if (!current) return current.error();
    const MailboxSets& seen = **current;
    std::lock_guard lock(mutex_);
    const Uid from = std::max(seen.head.recent_from, recent_taken_);
    if (from >= seen.head.uid_next) return UidSet();
    recent_taken_ = seen.head.uid_next;
    if (cached_) cached_ = without_taken(cached_);
    return seen.existing().slice(from, seen.head.uid_next - 1);
}

bool MailboxQueue::take_waiting() {
    std::lock_guard lock(mutex_);
    joined_.insert(joined_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    if (joined_.empty()) rest();
    return !joined_.empty();
}

void MailboxQueue::rest() {
    running_ = false;
    busy_.end();
}

void MailboxQueue::run() {
    while (take_waiting()) {
        const auto current = sets();
        if (!current) {
            fail_all(current.error());
            continue;
        }
        MailboxChange change(store_, *current, clock_());
        join(change);
        if (change.empty()) {
            confirm_applied();
            continue;
        }
        auto batch = change.batch();
        if (!batch) {
            fail_all(batch.error());
            continue;
        }
        SetsPtr after = change.after();
        const OperationId id = batch->operation;
        auto done = [self = shared_from_this(), after, id](kv::CommitResult result) {
            if (!result || *result != kv::Outcome::unknown) return self->settle(result, after);
            // Asking may wait, and this is an engine thread.
            self->workers_.post([self, after, id, result] {
                const kv::ShardId shard = mailbox_shard(self->mailbox_);
                self->settle(kv::resolve_outcome(self->store_, shard, id, result), after);
            });
        };
        store_.commit(std::move(*batch), std::move(done));
        return;
    }
}

void MailboxQueue::join(MailboxChange& change) {
    applied_ = 0;
    while (applied_ < joined_.size()) {
        const auto step = joined_[applied_]->apply(change);
        if (!step) {
            const auto failed = joined_[applied_];
            joined_.erase(joined_.begin() + static_cast<std::ptrdiff_t>(applied_));
            failed->finish(step.error());
        } else if (*step == MailboxOperation::Step::full) {
            return;
        } else {
            ++applied_;
        }
    }
}

void MailboxQueue::settle(kv::CommitResult result, SetsPtr after) {
    if (result && *result == kv::Outcome::committed) {
        note(*after);
        {
            std::lock_guard lock(mutex_);
            cached_ = without_taken(std::move(after));
        }
        lost_races_ = 0;
        confirm_applied();
    } else {
        retry_or_fail(result);
    }
    std::unique_lock lock(mutex_);
    if (joined_.empty() && waiting_.empty()) {
        rest();
        return;
    }
    lock.unlock();
    // Building a batch is no work for an engine thread.
    workers_.post([self = shared_from_this()] { self->run(); });
}

void MailboxQueue::confirm_applied() {
    Operations unfinished;
    Operations finished;
    for (std::size_t i = 0; i < joined_.size(); ++i) {
        const bool complete = i < applied_ && joined_[i]->confirm();
        (complete ? finished : unfinished).push_back(joined_[i]);
    }
    joined_ = std::move(unfinished);
    applied_ = 0;
    for (const auto& operation : finished) operation->finish({});
}

void MailboxQueue::retry_or_fail(const kv::CommitResult& result) {
    forget_sets();
    if (result && ++lost_races_ <= max_lost_races) return;
    lost_races_ = 0;
    const Error error = result ? Error{Errc::conflict, "the mailbox is changed too often by others"}
                               : result.error();
    // Only what was in the batch has failed; later arrivals get their own try.
    Operations failed(joined_.begin(), joined_.begin() + static_cast<std::ptrdiff_t>(applied_));
    joined_.erase(joined_.begin(), joined_.begin() + static_cast<std::ptrdiff_t>(applied_));
    applied_ = 0;
    for (const auto& operation : failed) operation->finish(error);
}

void MailboxQueue::fail_all(const Error& error) {
    Operations failed = std::move(joined_);
    joined_.clear();
    applied_ = 0;
    for (const auto& operation : failed) operation->finish(error);
}

void MailboxQueue::note(const MailboxSets& sets) {
    meter_.note(mailbox_, sets.head.owner, sets.head.highest_modseq,
                {sets.head.bytes, sets.existing().size()});
}

void MailboxQueue::forget_sets() {
    std::lock_guard lock(mutex_);
    cached_ = nullptr;
}

}  // namespace postern::mail

#include "store/kv/faulty.h"

#include <utility>

namespace postern::kv {

namespace {

Error failure() {
    return Error{Errc::unavailable, "store: failed on purpose"};
}

bool is_crash(Fault fault) {
    return fault == Fault::crash || fault == Fault::crash_after;
}

}  // namespace

FaultyStore::FaultyStore(std::shared_ptr<Store> inner)
    : inner_(std::move(inner)), thread_([this] { run(); }) {}

FaultyStore::~FaultyStore() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    waiting_.notify_one();
    thread_.join();
}

void FaultyStore::inject(std::uint64_t nth, Fault fault) {
    std::lock_guard lock(mutex_);
    faults_[calls_.load() + nth] = fault;
}

void FaultyStore::clear() {
    std::lock_guard lock(mutex_);
    faults_.clear();
}

Fault FaultyStore::next_fault() {
    std::lock_guard lock(mutex_);
    const auto found = faults_.find(++calls_);
    if (crashed_) return Fault::crash;
    if (found == faults_.end()) return Fault::none;
    const Fault fault = found->second;
    faults_.erase(found);
    if (is_crash(fault)) crashed_ = true;
    return fault;
}

Result<void> FaultyStore::before_read() {
    const Fault fault = next_fault();
    if (fault == Fault::none) return {};
    if (fault != Fault::delay) return failure();
    std::this_thread::sleep_for(delay_time);
    return {};
}

Result<std::optional<std::string>> FaultyStore::get(const ShardId& shard, std::string_view key) {
    if (auto ready = before_read(); !ready) return ready.error();
    return inner_->get(shard, key);
}

Result<Page> FaultyStore::scan_through(const ShardId& shard, std::string_view from,
                                       std::string_view to, std::size_t limit) {
    if (auto ready = before_read(); !ready) return ready.error();
    return inner_->scan_through(shard, from, to, limit);
}

Result<bool> FaultyStore::was_committed(const ShardId& shard, const OperationId& operation) {
    if (auto ready = before_read(); !ready) return ready.error();
    return inner_->was_committed(shard, operation);
}

BlobId FaultyStore::new_blob_id(const ShardId& shard) {
    return inner_->new_blob_id(shard);
}

Result<std::string> FaultyStore::read_blob(const BlobId& id, std::uint64_t offset,
                                           std::uint64_t length) {
    if (auto ready = before_read(); !ready) return ready.error();
    return inner_->read_blob(id, offset, length);
}

std::shared_ptr<void> FaultyStore::watch(const ShardId& shard, std::function<void()> changed) {
    return inner_->watch(shard, std::move(changed));
}

std::shared_ptr<void> FaultyStore::watch_kind(ShardKind kind,
                                              std::function<void(const ShardId&)> changed) {
    return inner_->watch_kind(kind, std::move(changed));
}

Result<ShardPage> FaultyStore::list_shards(const ShardId& after, std::size_t limit) {
    if (auto ready = before_read(); !ready) return ready.error();
    return inner_->list_shards(after, limit);
}

Result<BlobPage> FaultyStore::list_blobs(const std::string& from, std::size_t limit) {
    if (auto ready = before_read(); !ready) return ready.error();
    return inner_->list_blobs(from, limit);
}

Result<Space> FaultyStore::space() {
    return inner_->space();
}

void FaultyStore::commit(Batch batch, CommitDone done) {
    const Fault fault = next_fault();
    {
        std::lock_guard lock(mutex_);
        items_.push_back({std::move(batch), std::move(done), fault});
    }
    waiting_.notify_one();
}

void FaultyStore::run() {
    for (;;) {
        Item item;
        {
            std::unique_lock lock(mutex_);
            waiting_.wait(lock, [this] { return stopping_ || !items_.empty(); });
            if (items_.empty()) return;
            item = std::move(items_.front());
            items_.pop_front();
        }
        pass_on(std::move(item));
    }
}

void FaultyStore::pass_on(Item item) {
    switch (item.fault) {
        case Fault::fail:
        case Fault::crash:
            return item.done(failure());
        case Fault::unknown_lost:
            return item.done(Outcome::unknown);
        case Fault::unknown_done:
            return inner_->commit(std::move(item.batch),
                                  [done = std::move(item.done)](CommitResult result) {
                                      const bool done_so = result && *result == Outcome::committed;
                                      done(done_so ? Outcome::unknown : std::move(result));
                                  });
        case Fault::crash_after:
            return inner_->commit(
                std::move(item.batch),
                [done = std::move(item.done)](const CommitResult&) { done(failure()); });
        case Fault::delay:
            std::this_thread::sleep_for(delay_time);
            break;
        case Fault::none:
            break;
    }
    inner_->commit(std::move(item.batch), std::move(item.done));
}

}  // namespace postern::kv

#include "store/kv/faulty.h"

#include <algorithm>
#include <utility>

namespace postern::kv {

namespace {

Error failure() {
    return Error{Errc::unavailable, "store: failed on purpose"};
}

Error damage_found() {
    return Error{Errc::corrupt, "store: damaged on purpose"};
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

void FaultyStore::damage(const ShardId& shard, std::string key) {
    std::lock_guard lock(mutex_);
    damaged_.emplace(shard, std::move(key));
}

bool FaultyStore::is_damaged(const ShardId& shard, std::string_view key) {
    std::lock_guard lock(mutex_);
    return damaged_.count({shard, std::string(key)}) != 0;
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
    if (is_damaged(shard, key)) return damage_found();
    return inner_->get(shard, key);
}

Result<Page> FaultyStore::scan_through(const ShardId& shard, std::string_view from,
                                       std::string_view to, std::size_t limit) {
    if (auto ready = before_read(); !ready) return ready.error();
    auto page = inner_->scan_through(shard, from, to, limit);
    if (!page) return page;
    std::vector<Row> sound;
    for (Row& row : page->rows) {
        if (is_damaged(shard, row.key)) {
            page->damaged.push_back(std::move(row.key));
        } else {
            sound.push_back(std::move(row));
        }
    }
    page->rows = std::move(sound);
    std::sort(page->damaged.begin(), page->damaged.end());
    return page;
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

void FaultyStore::forget_damage_of(const Batch& batch) {
    std::lock_guard lock(mutex_);
    for (const Operation& operation : batch.operations) {
        const auto* put = std::get_if<Put>(&operation);
        damaged_.erase({batch.shard, put != nullptr ? put->key : std::get<Erase>(operation).key});
    }
}

void FaultyStore::pass_on(Item item) {
    for (const Precondition& precondition : item.batch.preconditions) {
        if (is_damaged(item.batch.shard, precondition.key)) return item.done(damage_found());
    }
    if (item.fault == Fault::none) forget_damage_of(item.batch);
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

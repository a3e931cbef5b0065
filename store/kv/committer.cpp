#include "store/kv/committer.h"

#include "store/kv/shard_key.h"

#include <set>

namespace postern::kv {

namespace {

Result<void> check(const Batch& batch) {
    if (auto valid = validate(batch); !valid) return valid;
    for (const BlobPut& blob : batch.blobs) {
        if (shard_hash(blob.id) != shard_hash(batch.shard)) {
            return Error{Errc::invalid, "batch: a blob id that was made for another shard"};
        }
    }
    return {};
}

}  // namespace

std::size_t blob_bytes(const Batch& batch) {
    std::size_t bytes = 0;
    for (const BlobPut& blob : batch.blobs) bytes += blob.bytes ? blob.bytes->size() : 0;
    return bytes;
}

Committer::Committer(Apply apply, Watchers& watchers)
    : apply_(std::move(apply)), watchers_(watchers), thread_([this] { run(); }) {}

Committer::~Committer() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    waiting_.notify_one();
    thread_.join();
}

void Committer::queue(Batch batch, CommitDone done) {
    Item item{std::move(batch), std::move(done), Outcome::unknown};
    if (auto valid = check(item.batch); !valid) {
        item.batch = Batch{};
        item.result = valid.error();
    }
    bool first = false;
    {
        std::lock_guard lock(mutex_);
        first = items_.empty();
        items_.push_back(std::move(item));
    }
    if (first) waiting_.notify_one();
}

void Committer::drain() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return !busy_ && items_.empty(); });
}

std::vector<Committer::Item> Committer::take() {
    std::unique_lock lock(mutex_);
    busy_ = false;
    if (items_.empty()) idle_.notify_all();
    waiting_.wait(lock, [this] { return stopping_ || !items_.empty(); });
    std::vector<Item> group;
    std::size_t bytes = 0;
    while (!items_.empty() && group.size() < max_group_batches) {
        bytes += blob_bytes(items_.front().batch);
        if (!group.empty() && bytes > max_group_blob_bytes) break;
        group.push_back(std::move(items_.front()));
        items_.pop_front();
    }
    busy_ = true;
    return group;
}

void Committer::run() {
    for (;;) {
        std::vector<Item> group = take();
        if (group.empty()) return;
        apply_(group);
        answer(group);
    }
}

void Committer::answer(std::vector<Item>& group) {
    std::set<ShardId> changed;
    for (Item& item : group) {
        if (item.result && *item.result == Outcome::committed) changed.insert(item.batch.shard);
        item.done(std::move(item.result));
        item.done = nullptr;
    }
    watchers_.notify(changed);
}

}  // namespace postern::kv

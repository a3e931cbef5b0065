// The memory engine: the seam's contract in its plainest form, for tests and throw-away data.
#include "store/kv/committer.h"
#include "store/kv/kv.h"
#include "store/kv/shard_key.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <shared_mutex>

namespace postern::kv {

namespace {

struct Shard {
    std::map<std::string, std::string, std::less<>> rows;
    std::deque<OperationId> operations;  // newest last
};

class MemoryStore final : public Store {
public:
    Result<std::optional<std::string>> get(const ShardId& id, std::string_view key) override {
        std::shared_lock lock(mutex_);
        const Shard* shard = find(id);
        if (shard == nullptr) return std::nullopt;
        const auto row = shard->rows.find(key);
        if (row == shard->rows.end()) return std::nullopt;
        return row->second;
    }

    Result<Page> scan_through(const ShardId& id, std::string_view from, std::string_view to,
                              std::size_t limit) override {
        if (limit == 0 || limit > max_page_rows) return Error{Errc::invalid, "scan: bad limit"};
        std::shared_lock lock(mutex_);
        Page page;
        const Shard* shard = find(id);
        if (shard == nullptr) return page;
        std::size_t bytes = 0;
        for (auto row = shard->rows.lower_bound(from); row != shard->rows.end(); ++row) {
            if (!to.empty() && row->first >= to) return page;
            bytes += row->first.size() + row->second.size();
            if (page.rows.size() == limit || (!page.rows.empty() && bytes > max_page_bytes)) {
                page.more = true;
                return page;
            }
            page.rows.push_back({row->first, row->second});
        }
        return page;
    }

    void commit(Batch batch, CommitDone done) override {
        committer_.queue(std::move(batch), std::move(done));
    }

    Result<bool> was_committed(const ShardId& id, const OperationId& operation) override {
        std::shared_lock lock(mutex_);
        const Shard* shard = find(id);
        if (shard == nullptr) return false;
        return std::find(shard->operations.begin(), shard->operations.end(), operation) !=
               shard->operations.end();
    }

    BlobId new_blob_id(const ShardId& shard) override {
        return make_blob_id(shard, next_blob_.fetch_add(1));
    }

    Result<std::string> read_blob(const BlobId& id, std::uint64_t offset,
                                  std::uint64_t length) override {
        std::shared_lock lock(mutex_);
        const auto blob = blobs_.find(id);
        if (blob == blobs_.end()) return Error{Errc::not_found, "no such blob: " + to_hex(id)};
        if (offset >= blob->second->size()) return std::string();
        return blob->second->substr(offset, length);
    }

    std::shared_ptr<void> watch(const ShardId& shard, std::function<void()> changed) override {
        return watchers_.add(shard, std::move(changed));
    }
    std::shared_ptr<void> watch_kind(ShardKind kind,
                                     std::function<void(const ShardId&)> changed) override {
        return watchers_.add_kind(kind, std::move(changed));
    }

    Result<ShardPage> list_shards(const ShardId& after, std::size_t limit) override {
        if (limit == 0 || limit > max_page_rows) return Error{Errc::invalid, "list: bad limit"};
        std::shared_lock lock(mutex_);
        ShardPage page;
        for (auto shard = shards_.upper_bound(after); shard != shards_.end(); ++shard) {
            if (shard->second.rows.empty()) continue;
            page.more = page.shards.size() == limit;
            if (page.more) break;
            page.shards.push_back(shard->first);
        }
        return page;
    }

    Result<BlobPage> list_blobs(const std::string& from, std::size_t limit) override {
        if (limit == 0 || limit > max_page_rows) return Error{Errc::invalid, "list: bad limit"};
        std::shared_lock lock(mutex_);
        BlobPage page;
        BlobId first;
        if (!from.empty() && !from_hex(from, first)) return Error{Errc::invalid, "list: bad place"};
        for (auto blob = blobs_.lower_bound(first); blob != blobs_.end(); ++blob) {
            if (page.blobs.size() == limit) {
                page.next = to_hex(blob->first);
                break;
            }
            page.blobs.push_back({blob->first, blob->second->size()});
        }
        return page;
    }

    Result<Space> space() override {
        std::shared_lock lock(mutex_);
        Space space;
        for (const auto& [id, shard] : shards_) {
            for (const auto& [key, value] : shard.rows)
                space.row_bytes += key.size() + value.size();
        }
        for (const auto& [id, bytes] : blobs_) space.blob_bytes += bytes->size();
        return space;
    }

private:
    const Shard* find(const ShardId& id) const {
        const auto shard = shards_.find(id);
        return shard == shards_.end() ? nullptr : &shard->second;
    }

    void apply(std::vector<Committer::Item>& group) {
        std::unique_lock lock(mutex_);
        for (Committer::Item& item : group) {
            if (item.result) item.result = apply(item.batch);
        }
    }

    Outcome apply(Batch& batch) {
        Shard& shard = shards_[batch.shard];
        for (const Precondition& precondition : batch.preconditions) {
            const auto row = shard.rows.find(precondition.key);
            if (precondition.equals.has_value() != (row != shard.rows.end())) {
                return Outcome::conflict;
            }
            if (precondition.equals && *precondition.equals != row->second) {
                return Outcome::conflict;
            }
        }
        for (Operation& operation : batch.operations) {
            if (auto* put = std::get_if<Put>(&operation)) {
                shard.rows.insert_or_assign(std::move(put->key), std::move(put->value));
            } else {
                shard.rows.erase(std::get<Erase>(operation).key);
            }
        }
        for (BlobPut& blob : batch.blobs) blobs_.emplace(blob.id, std::move(blob.bytes));
        for (const BlobId& id : batch.erased_blobs) blobs_.erase(id);
        remember(shard, batch.operation);
        return Outcome::committed;
    }

    static void remember(Shard& shard, const OperationId& operation) {
        if (operation.empty()) return;
        shard.operations.push_back(operation);
        if (shard.operations.size() > min_operations_remembered) shard.operations.pop_front();
    }

    std::shared_mutex mutex_;
    std::map<ShardId, Shard> shards_;
    std::map<BlobId, std::shared_ptr<const std::string>> blobs_;
    std::atomic<std::uint64_t> next_blob_{1};
    Watchers watchers_;
    Committer committer_{[this](std::vector<Committer::Item>& group) { apply(group); }, watchers_};
};

}  // namespace

std::unique_ptr<Store> make_memory_store() {
    return std::make_unique<MemoryStore>();
}

}  // namespace postern::kv

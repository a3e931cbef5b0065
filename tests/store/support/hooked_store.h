// An engine in front of another that calls the test before each read of rows.
#pragma once

#include "store/kv/kv.h"

namespace postern::test {

class HookedStore : public kv::Store {
public:
    using Hook = std::function<void(const kv::ShardId&, std::string_view from)>;
    HookedStore(kv::Store& inner, Hook before_scan)
        : inner_(inner), before_scan_(std::move(before_scan)) {}

    Result<std::optional<std::string>> get(const kv::ShardId& shard,
                                           std::string_view key) override {
        return inner_.get(shard, key);
    }
    Result<kv::Page> scan_through(const kv::ShardId& shard, std::string_view from,
                                  std::string_view to, std::size_t limit) override {
        before_scan_(shard, from);
        return inner_.scan_through(shard, from, to, limit);
    }
    void commit(kv::Batch batch, kv::CommitDone done) override {
        inner_.commit(std::move(batch), std::move(done));
    }
    Result<bool> was_committed(const kv::ShardId& shard, const OperationId& operation) override {
        return inner_.was_committed(shard, operation);
    }
    BlobId new_blob_id(const kv::ShardId& shard) override { return inner_.new_blob_id(shard); }
    Result<std::string> read_blob(const BlobId& id, std::uint64_t offset,
                                  std::uint64_t length) override {
        return inner_.read_blob(id, offset, length);
    }
    std::shared_ptr<void> watch(const kv::ShardId& shard, std::function<void()> changed) override {
        return inner_.watch(shard, std::move(changed));
    }
    std::shared_ptr<void> watch_kind(kv::ShardKind kind,
                                     std::function<void(const kv::ShardId&)> changed) override {
        return inner_.watch_kind(kind, std::move(changed));
    }
    Result<kv::ShardPage> list_shards(const kv::ShardId& after, std::size_t limit) override {
        return inner_.list_shards(after, limit);
    }
    Result<kv::BlobPage> list_blobs(const std::string& from, std::size_t limit) override {
        return inner_.list_blobs(from, limit);
    }
    Result<kv::Space> space() override { return inner_.space(); }

private:
    kv::Store& inner_;
    const Hook before_scan_;
};

}  // namespace postern::test

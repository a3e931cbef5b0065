#include "store/kv/random_id.h"
#include "tests/contract/engines.h"

#include <set>

namespace postern::kv {
namespace {

class Blobs : public EngineTest {
protected:
    const ShardId shard_{ShardKind::spool, 3, 0};

    BlobId put(std::string bytes) {
        Batch batch;
        batch.shard = shard_;
        batch.operation = random_id();
        batch.blobs.push_back(
            {store_->new_blob_id(shard_), std::make_shared<std::string>(std::move(bytes))});
        const BlobId id = batch.blobs[0].id;
        EXPECT_EQ(*store_->commit_and_wait(std::move(batch)), Outcome::committed);
        return id;
    }
    Outcome erase(const ShardId& by, std::vector<BlobId> ids,
                  std::vector<Precondition> preconditions = {}) {
        Batch batch;
        batch.shard = by;
        batch.erased_blobs = std::move(ids);
        batch.preconditions = std::move(preconditions);
        return *store_->commit_and_wait(std::move(batch));
    }
    Errc read_error(const BlobId& id) {
        const auto read = store_->read_blob(id, 0, 1);
        return read ? Errc::internal : read.error().code;
    }
};

TEST_P(Blobs, AreReadByRange) {
    const BlobId id = put("0123456789");
    EXPECT_EQ(*store_->read_blob(id, 0, 10), "0123456789");
    EXPECT_EQ(*store_->read_blob(id, 0, 3), "012");
    EXPECT_EQ(*store_->read_blob(id, 4, 3), "456");
    EXPECT_EQ(*store_->read_blob(id, 8, 30), "89");
    EXPECT_EQ(*store_->read_blob(id, 10, 1), "");
    EXPECT_EQ(*store_->read_blob(id, 11, 1), "");
    EXPECT_EQ(*store_->read_blob(id, 3, 0), "");
    EXPECT_EQ(*store_->read_blob(id, 1, ~std::uint64_t{0}), "123456789");
}

TEST_P(Blobs, OfAllSizesAreReadBack) {
    for (const std::size_t size : {1u, 100u, 2'000u, 2'100u, 4'079u, 4'096u, 70'000u, 3'000'000u}) {
        std::string bytes(size, '\0');
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + size);
        const BlobId id = put(bytes);
        EXPECT_TRUE(*store_->read_blob(id, 0, size + 1) == bytes) << size;
        EXPECT_TRUE(*store_->read_blob(id, size / 2, size) == bytes.substr(size / 2)) << size;
    }
}

TEST_P(Blobs, AnUnknownIdIsNotFound) {
    EXPECT_EQ(read_error(random_id()), Errc::not_found);
    EXPECT_EQ(read_error(BlobId{}), Errc::not_found);
    EXPECT_EQ(read_error(store_->new_blob_id(shard_)), Errc::not_found);
}

TEST_P(Blobs, IdsAreDistinctAndLeaveTheLowestBit) {
    std::set<BlobId> ids;
    for (int i = 0; i < 1000; ++i) {
        const BlobId id = store_->new_blob_id({ShardKind::mailbox, std::uint64_t(i), 0});
        EXPECT_EQ(id.bytes[15] & 1, 0);
        ids.insert(id);
    }
    EXPECT_EQ(ids.size(), 1000u);
    Batch batch;
    batch.shard = shard_;
    batch.blobs.push_back({store_->new_blob_id(shard_), std::make_shared<std::string>("odd")});
    BlobId& odd = batch.blobs[0].id;
    odd.bytes[15] |= 1;
    const BlobId kept = odd;
    ASSERT_TRUE(store_->commit_and_wait(std::move(batch)));
    EXPECT_EQ(*store_->read_blob(kept, 0, 3), "odd");
    BlobId even = kept;
    even.bytes[15] &= 0xfe;
    EXPECT_EQ(read_error(even), Errc::not_found);
}

TEST_P(Blobs, AreNotThereAfterAConflict) {
    Batch batch;
    batch.shard = shard_;
    batch.preconditions = {{"x", "1"}};
    batch.blobs.push_back({store_->new_blob_id(shard_), std::make_shared<std::string>("b")});
    const BlobId id = batch.blobs[0].id;
    EXPECT_EQ(*store_->commit_and_wait(std::move(batch)), Outcome::conflict);
    EXPECT_EQ(read_error(id), Errc::not_found);
}

TEST_P(Blobs, KeepTheirFirstBytes) {
    const BlobId id = put("first");
    Batch again;
    again.shard = shard_;
    again.operations.push_back(Put{"k", "v"});
    again.blobs.push_back({id, std::make_shared<std::string>("second")});
    EXPECT_EQ(*store_->commit_and_wait(std::move(again)), Outcome::committed);
    EXPECT_EQ(*store_->read_blob(id, 0, 10), "first");
    EXPECT_EQ(**store_->get(shard_, "k"), "v");
}

TEST_P(Blobs, AnIdBelongsToItsShard) {
    Batch batch;
    batch.shard = shard_;
    const ShardId other{ShardKind::spool, 4, 0};
    batch.blobs.push_back({store_->new_blob_id(other), std::make_shared<std::string>("b")});
    EXPECT_EQ(store_->commit_and_wait(std::move(batch)).error().code, Errc::invalid);
}

TEST_P(Blobs, AreErasedByAnyShard) {
    for (std::uint64_t number = 0; number < 16; ++number) {
        const BlobId a = put("a");
        const BlobId b = put("b");
        EXPECT_EQ(erase({ShardKind::blob_links, number, 0}, {a, random_id()}), Outcome::committed);
        // An erasure may follow its batch a little later, but before a later batch of the blob's
        // shard.
        put("after");
        EXPECT_EQ(read_error(a), Errc::not_found);
        EXPECT_EQ(*store_->read_blob(b, 0, 1), "b");
    }
}

TEST_P(Blobs, StayWhenTheErasingBatchConflicts) {
    const BlobId id = put("a");
    EXPECT_EQ(erase(shard_, {id}, {{"x", "1"}}), Outcome::conflict);
    put("after");
    EXPECT_EQ(*store_->read_blob(id, 0, 1), "a");
}

INSTANTIATE_TEST_SUITE_P(Engines, Blobs, testing::ValuesIn(all_engines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace postern::kv

// What care for a whole store walks over.
#include "store/kv/random_id.h"
#include "tests/contract/engines.h"

#include <set>

namespace postern::kv {
namespace {

class Lists : public EngineTest {
protected:
    void put(const ShardId& shard, bool with_blob) {
        Batch batch;
        batch.shard = shard;
        batch.operation = random_id();
        batch.operations.emplace_back(Put{"a", "1"});
        if (with_blob) {
            const BlobId id = store_->new_blob_id(shard);
            blobs_.insert(id);
            batch.blobs.push_back({id, std::make_shared<const std::string>(123, 'b')});
        }
        ASSERT_TRUE(store_->commit_and_wait(std::move(batch)));
    }
    std::set<BlobId> blobs_;
};

TEST_P(Lists, ShardsComeInOrderPageByPage) {
    std::vector<ShardId> made;
    for (std::uint64_t number = 1; number <= 9; ++number) {
        made.push_back({ShardKind::account, number, 0});
        put(made.back(), false);
    }
    made.push_back({ShardKind::mailbox, 1, 0});
    put(made.back(), false);
    Batch emptied;
    emptied.shard = {ShardKind::account, 5, 0};
    emptied.operations.emplace_back(Erase{"a"});
    ASSERT_TRUE(store_->commit_and_wait(std::move(emptied)));
    made.erase(made.begin() + 4);
    std::vector<ShardId> found;
    ShardId after;
    for (bool more = true; more;) {
        const auto page = store_->list_shards(after, 4);
        ASSERT_TRUE(page);
        EXPECT_LE(page->shards.size(), 4u);
        found.insert(found.end(), page->shards.begin(), page->shards.end());
        more = page->more;
        if (more) after = found.back();
    }
    EXPECT_EQ(found, made);
    EXPECT_EQ(store_->list_shards({}, 0).error().code, Errc::invalid);
    EXPECT_EQ(store_->list_shards({}, max_page_rows + 1).error().code, Errc::invalid);
    EXPECT_TRUE(store_->list_shards({}, max_page_rows));
}

TEST_P(Lists, BlobsComeOncePageByPage) {
    for (std::uint64_t number = 1; number <= 20; ++number) {
        put({ShardKind::mailbox, number, 0}, true);
    }
    std::set<BlobId> found;
    std::string from;
    do {
        const auto page = store_->list_blobs(from, 3);
        ASSERT_TRUE(page);
        EXPECT_LE(page->blobs.size(), 3u);
        for (const StoredBlob& blob : page->blobs) {
            EXPECT_EQ(blob.bytes, 123u);
            EXPECT_TRUE(found.insert(blob.id).second) << "listed twice";
        }
        from = page->next;
    } while (!from.empty());
    EXPECT_EQ(found, blobs_);
    EXPECT_EQ(store_->list_blobs("", 0).error().code, Errc::invalid);
    EXPECT_EQ(store_->list_blobs("", max_page_rows + 1).error().code, Errc::invalid);
    const auto space = store_->space();
    ASSERT_TRUE(space);
    EXPECT_GE(space->blob_bytes, 20u * 123u);
    EXPECT_GT(space->row_bytes, 0u);
}

INSTANTIATE_TEST_SUITE_P(Engines, Lists, testing::ValuesIn(all_engines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace postern::kv

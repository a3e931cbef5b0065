#include "store/kv/random_id.h"
#include "tests/contract/engines.h"

#include <atomic>
#include <thread>

namespace postern::kv {
namespace {

class Threads : public EngineTest {};

// Counts up under a precondition until it succeeds: lost or doubled updates would show in the sum.
void count_up(Store& store, const ShardId& shard, int times) {
    for (int i = 0; i < times;) {
        const auto old = store.get(shard, "n");
        ASSERT_TRUE(old);
        Batch batch;
        batch.shard = shard;
        batch.operation = random_id();
        batch.preconditions = {{"n", *old}};
        batch.operations.push_back(Put{"n", std::to_string(std::stoi(old->value_or("0")) + 1)});
        const CommitResult result = store.commit_and_wait(std::move(batch));
        ASSERT_TRUE(result);
        if (*result == Outcome::committed) ++i;
    }
}

TEST_P(Threads, CountTogetherWithoutLoss) {
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] { count_up(*store_, {ShardKind::mailbox, t % 3, 0}, 40); });
    }
    for (std::thread& thread : threads) thread.join();
    int sum = 0;
    for (std::uint64_t number = 0; number < 3; ++number) {
        sum += std::stoi(**store_->get({ShardKind::mailbox, number, 0}, "n"));
    }
    EXPECT_EQ(sum, 8 * 40);
}

// Each batch writes the same number to many rows: a page must never show two numbers.
TEST_P(Threads, ReadersSeeWholeBatches) {
    const ShardId shard{ShardKind::mailbox, 5, 0};
    std::atomic<bool> stop = false;
    std::vector<std::thread> readers;
    for (int r = 0; r < 3; ++r) {
        readers.emplace_back([&] {
            while (!stop) {
                const auto page = store_->scan(shard, "", "", max_page_rows);
                ASSERT_TRUE(page);
                for (const Row& row : page->rows) ASSERT_EQ(row.value, page->rows[0].value);
            }
        });
    }
    for (int i = 0; i < 150; ++i) {
        Batch batch;
        batch.shard = shard;
        for (int k = 0; k < 60; ++k) {
            batch.operations.push_back(Put{"k" + std::to_string(k), std::to_string(i)});
        }
        EXPECT_TRUE(store_->commit_and_wait(std::move(batch)));
    }
    stop = true;
    for (std::thread& reader : readers) reader.join();
}

TEST_P(Threads, ReadWhileOthersWriteBlobs) {
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            const ShardId shard{ShardKind::mailbox, t, 0};
            for (int i = 0; i < 20; ++i) {
                const std::string bytes(1000 * (t + 1) * (i + 1), static_cast<char>('a' + t));
                Batch batch;
                batch.shard = shard;
                batch.blobs.push_back(
                    {store_->new_blob_id(shard), std::make_shared<std::string>(bytes)});
                const BlobId id = batch.blobs[0].id;
                ASSERT_TRUE(store_->commit_and_wait(std::move(batch)));
                ASSERT_TRUE(*store_->read_blob(id, 0, bytes.size()) == bytes);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

INSTANTIATE_TEST_SUITE_P(Engines, Threads, testing::ValuesIn(all_engines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace postern::kv

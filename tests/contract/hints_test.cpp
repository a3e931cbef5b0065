// Watching a shard, and looking up what became of an operation.
#include "store/kv/random_id.h"
#include "tests/contract/engines.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace postern::kv {
namespace {

class Hints : public EngineTest {
protected:
    const ShardId shard_{ShardKind::mailbox, 11, 0};

    OperationId change(const ShardId& shard, std::vector<Precondition> preconditions = {}) {
        Batch batch;
        batch.shard = shard;
        batch.operation = random_id();
        batch.operations.push_back(Put{"k", "v"});
        batch.preconditions = std::move(preconditions);
        const OperationId operation = batch.operation;
        EXPECT_TRUE(store_->commit_and_wait(std::move(batch)));
        return operation;
    }
};

class Counter {
public:
    std::function<void()> counting() {
        return [this] {
            std::lock_guard lock(mutex_);
            ++count_;
            changed_.notify_all();
        };
    }
    bool reaches(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_ >= count; });
    }
    int count() {
        std::lock_guard lock(mutex_);
        return count_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

TEST_P(Hints, AWatcherHearsOfItsShard) {
    Counter mine, also_mine, others;
    const auto a = store_->watch(shard_, mine.counting());
    const auto b = store_->watch(shard_, also_mine.counting());
    const auto c = store_->watch({ShardKind::mailbox, 12, 0}, others.counting());
    change(shard_);
    EXPECT_TRUE(mine.reaches(1));
    EXPECT_TRUE(also_mine.reaches(1));
    EXPECT_EQ(others.count(), 0);
    change({ShardKind::mailbox, 12, 0});
    EXPECT_TRUE(others.reaches(1));
}

TEST_P(Hints, AWatcherOfAKindHearsWhichShard) {
    Counter counter;
    std::set<ShardId> heard;
    std::mutex mutex;
    const auto watching =
        store_->watch_kind(ShardKind::mailbox, [&, count = counter.counting()](const auto& shard) {
            {
                std::lock_guard lock(mutex);
                heard.insert(shard);
            }
            count();
        });
    const ShardId other{ShardKind::mailbox, 12, 0};
    change({ShardKind::account, 11, 0});
    change(shard_);
    change(other);
    EXPECT_TRUE(counter.reaches(2));
    std::lock_guard lock(mutex);
    EXPECT_EQ(heard, (std::set<ShardId>{shard_, other}));
}

TEST_P(Hints, AConflictWakesNobody) {
    Counter counter;
    const auto watching = store_->watch(shard_, counter.counting());
    change(shard_, {{"absent", "1"}});
    change({ShardKind::mailbox, 12, 0});
    store_.reset();
    EXPECT_EQ(counter.count(), 0);
}

TEST_P(Hints, ADroppedHandleIsSilent) {
    Counter dropped, kept;
    auto handle = store_->watch(shard_, dropped.counting());
    const auto other = store_->watch(shard_, kept.counting());
    change(shard_);
    EXPECT_TRUE(dropped.reaches(1));
    EXPECT_TRUE(kept.reaches(1));
    handle.reset();
    const int before = dropped.count();
    change(shard_);
    EXPECT_TRUE(kept.reaches(2));
    EXPECT_EQ(dropped.count(), before);
}

TEST_P(Hints, AHandleMayOutliveTheStore) {
    Counter counter;
    auto handle = store_->watch(shard_, counter.counting());
    store_.reset();
    handle.reset();
}

TEST_P(Hints, AHandleMayGoWithinItsOwnCall) {
    Counter counter;
    std::shared_ptr<void> handle;
    std::mutex mutex;
    {
        std::lock_guard lock(mutex);
        handle = store_->watch(shard_, [&, count = counter.counting()] {
            std::lock_guard inner(mutex);
            handle.reset();
            count();
        });
    }
    change(shard_);
    EXPECT_TRUE(counter.reaches(1));
    change(shard_);
    store_.reset();
    EXPECT_EQ(counter.count(), 1);
}

TEST_P(Hints, HandlesComeAndGoWhileTheShardChanges) {
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        while (!stop) change(shard_);
    });
    for (int i = 0; i < 200; ++i) {
        Counter counter;
        const auto handle = store_->watch(shard_, counter.counting());
        if (i % 10 == 0) {
            EXPECT_TRUE(counter.reaches(1));
        }
    }
    stop = true;
    writer.join();
}

TEST_P(Hints, CommittedOperationsAreRemembered) {
    const OperationId mine = change(shard_);
    EXPECT_TRUE(*store_->was_committed(shard_, mine));
    EXPECT_FALSE(*store_->was_committed({ShardKind::mailbox, 12, 0}, mine));
    EXPECT_FALSE(*store_->was_committed(shard_, random_id()));
    EXPECT_FALSE(*store_->was_committed(shard_, change(shard_, {{"absent", "1"}})));
    EXPECT_FALSE(*store_->was_committed(shard_, OperationId{}));
}

TEST_P(Hints, TheLastThousandOperationsAreRemembered) {
    std::vector<OperationId> operations(min_operations_remembered);
    for (OperationId& operation : operations) {
        operation = random_id();
        Batch batch;
        batch.shard = shard_;
        batch.operation = operation;
        store_->commit(std::move(batch), [](const CommitResult&) {});
    }
    change({ShardKind::mailbox, 12, 0});
    Batch last;
    last.shard = shard_;
    ASSERT_TRUE(store_->commit_and_wait(std::move(last)));
    for (std::size_t i = 0; i < operations.size(); i += 111) {
        EXPECT_TRUE(*store_->was_committed(shard_, operations[i])) << i;
    }
    EXPECT_TRUE(*store_->was_committed(shard_, operations.back()));
}

TEST_P(Hints, AnEmptyOperationIsNotRecorded) {
    Batch batch;
    batch.shard = shard_;
    batch.operations.push_back(Put{"k", "v"});
    ASSERT_TRUE(store_->commit_and_wait(std::move(batch)));
    EXPECT_FALSE(*store_->was_committed(shard_, OperationId{}));
}

INSTANTIATE_TEST_SUITE_P(Engines, Hints, testing::ValuesIn(all_engines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace postern::kv

#include "store/kv/faulty.h"

#include "store/kv/random_id.h"

#include <gtest/gtest.h>

#include <future>

namespace postern::kv {
namespace {

class Faulty : public testing::Test {
protected:
    Batch batch(const std::string& value) {
        Batch out;
        out.shard = shard_;
        out.operation = random_id();
        out.operations.push_back(Put{"k", value});
        return out;
    }
    CommitResult raw_commit(Batch change) {
        std::promise<CommitResult> promise;
        store_.commit(std::move(change), [&](CommitResult result) { promise.set_value(result); });
        return promise.get_future().get();
    }
    std::string stored() { return inner_->get(shard_, "k")->value_or(""); }

    const ShardId shard_{ShardKind::mailbox, 1, 0};
    std::shared_ptr<Store> inner_ = make_memory_store();
    FaultyStore store_{inner_};
};

TEST_F(Faulty, FailsTheChosenCallAlone) {
    store_.inject(2, Fault::fail);
    EXPECT_TRUE(store_.get(shard_, "k"));
    EXPECT_EQ(store_.get(shard_, "k").error().code, Errc::unavailable);
    EXPECT_TRUE(store_.get(shard_, "k"));
    store_.inject(1, Fault::fail);
    EXPECT_EQ(store_.commit_and_wait(batch("1")).error().code, Errc::unavailable);
    EXPECT_EQ(stored(), "");
    EXPECT_EQ(store_.calls(), 4u);
    store_.inject(1, Fault::fail);
    store_.clear();
    EXPECT_TRUE(store_.scan(shard_, "", "", 1));
}

TEST_F(Faulty, AnswersUnknown) {
    store_.inject(1, Fault::unknown_done);
    EXPECT_EQ(*raw_commit(batch("1")), Outcome::unknown);
    EXPECT_EQ(stored(), "1");
    store_.inject(1, Fault::unknown_lost);
    EXPECT_EQ(*raw_commit(batch("2")), Outcome::unknown);
    EXPECT_EQ(stored(), "1");
}

TEST_F(Faulty, ADamagedRowIsToldUntilItIsWrittenAnew) {
    ASSERT_TRUE(store_.commit_and_wait(batch("1")));
    store_.damage(shard_, "k");
    EXPECT_EQ(store_.get(shard_, "k").error().code, Errc::corrupt);
    EXPECT_EQ(store_.scan_through(shard_, "", "", 5)->damaged, std::vector<std::string>{"k"});
    EXPECT_EQ(store_.scan(shard_, "", "", 5).error().code, Errc::corrupt);
    Batch change = batch("2");
    change.preconditions = {{"k", "1"}};
    EXPECT_EQ(store_.commit_and_wait(std::move(change)).error().code, Errc::corrupt);
    ASSERT_TRUE(store_.commit_and_wait(batch("3")));
    EXPECT_EQ(*store_.get(shard_, "k"), "3");
}

TEST_F(Faulty, AConflictIsNeverUnknown) {
    Batch change = batch("1");
    change.preconditions = {{"x", "1"}};
    store_.inject(1, Fault::unknown_done);
    EXPECT_EQ(*raw_commit(std::move(change)), Outcome::conflict);
}

TEST_F(Faulty, WaitingResolvesUnknown) {
    store_.inject(1, Fault::unknown_done);
    EXPECT_EQ(*store_.commit_and_wait(batch("1")), Outcome::committed);
    store_.inject(1, Fault::unknown_lost);
    EXPECT_EQ(store_.commit_and_wait(batch("2")).error().code, Errc::unavailable);
    EXPECT_EQ(stored(), "1");
}

TEST_F(Faulty, ResolvingTriesAgainWithABound) {
    store_.inject(1, Fault::unknown_done);
    store_.inject(2, Fault::fail);
    EXPECT_EQ(*store_.commit_and_wait(batch("1")), Outcome::committed);
    store_.inject(1, Fault::unknown_done);
    for (int i = 0; i < max_resolve_attempts; ++i) {
        store_.inject(2 + static_cast<std::uint64_t>(i), Fault::fail);
    }
    const CommitResult doubtful = store_.commit_and_wait(batch("2"));
    ASSERT_FALSE(doubtful);
    EXPECT_NE(doubtful.error().text.find("did not say"), std::string::npos);
}

TEST_F(Faulty, WithoutAnOperationUnknownStaysDoubtful) {
    Batch change = batch("1");
    change.operation = {};
    store_.inject(1, Fault::unknown_done);
    EXPECT_EQ(store_.commit_and_wait(std::move(change)).error().code, Errc::unavailable);
}

TEST_F(Faulty, ADelayKeepsTheOrder) {
    store_.inject(1, Fault::delay);
    std::vector<int> order;
    std::promise<void> last;
    for (int i = 0; i < 3; ++i) {
        store_.commit(batch(std::to_string(i)), [&, i](const CommitResult&) {
            order.push_back(i);
            if (i == 2) last.set_value();
        });
    }
    last.get_future().get();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(stored(), "2");
    store_.inject(1, Fault::delay);
    EXPECT_EQ(**store_.get(shard_, "k"), "2");
}

TEST_F(Faulty, NothingIsDoneAfterACrash) {
    store_.inject(2, Fault::crash);
    EXPECT_TRUE(store_.commit_and_wait(batch("1")));
    EXPECT_FALSE(store_.commit_and_wait(batch("2")));
    EXPECT_FALSE(store_.commit_and_wait(batch("3")));
    EXPECT_FALSE(store_.get(shard_, "k"));
    EXPECT_TRUE(store_.crashed());
    EXPECT_EQ(stored(), "1");
}

TEST_F(Faulty, ACrashMayComeAfterItsCommit) {
    store_.inject(1, Fault::crash_after);
    EXPECT_FALSE(store_.commit_and_wait(batch("1")));
    EXPECT_FALSE(store_.commit_and_wait(batch("2")));
    EXPECT_EQ(stored(), "1");
}

}  // namespace
}  // namespace postern::kv

#include "store/kv/random_id.h"
#include "tests/contract/engines.h"

#include <gmock/gmock.h>

#include <future>

namespace postern::kv {
namespace {

using testing::ElementsAre;

class Rows : public EngineTest {
protected:
    const ShardId shard_{ShardKind::mailbox, 7, 0};

    static Batch batch(const ShardId& shard, std::vector<Operation> operations) {
        Batch out;
        out.shard = shard;
        out.operation = random_id();
        out.operations = std::move(operations);
        return out;
    }
    CommitResult put(const std::string& key, const std::string& value) {
        return store_->commit_and_wait(batch(shard_, {Put{key, value}}));
    }
    std::string get(const std::string& key, const ShardId& shard) {
        const auto value = store_->get(shard, key);
        EXPECT_TRUE(value);
        return value->value_or("(absent)");
    }
    std::string get(const std::string& key) { return get(key, shard_); }
    std::vector<std::string> keys(std::string_view from, std::string_view to) {
        const auto page = store_->scan(shard_, from, to, max_page_rows);
        EXPECT_TRUE(page);
        std::vector<std::string> out;
        for (const Row& row : page->rows) out.push_back(row.key);
        return out;
    }
};

TEST_P(Rows, AreReadBack) {
    EXPECT_EQ(get("a"), "(absent)");
    ASSERT_EQ(*put("a", "1"), Outcome::committed);
    EXPECT_EQ(get("a"), "1");
    ASSERT_EQ(*put("a", "22"), Outcome::committed);
    EXPECT_EQ(get("a"), "22");
}

TEST_P(Rows, AreErased) {
    put("a", "1");
    ASSERT_EQ(*store_->commit_and_wait(batch(shard_, {Erase{"a"}, Erase{"never there"}})),
              Outcome::committed);
    EXPECT_EQ(get("a"), "(absent)");
}

TEST_P(Rows, OperationsApplyInOrder) {
    ASSERT_TRUE(store_->commit_and_wait(batch(shard_, {Put{"a", "1"}, Put{"a", "2"}, Put{"b", "1"},
                                                       Erase{"b"}, Erase{"c"}, Put{"c", "3"}})));
    EXPECT_EQ(get("a"), "2");
    EXPECT_EQ(get("b"), "(absent)");
    EXPECT_EQ(get("c"), "3");
}

TEST_P(Rows, ShardsAreApart) {
    const ShardId others[] = {{ShardKind::mailbox, 6, 0}, {ShardKind::mailbox, 8, 0},
                              {ShardKind::account, 7, 0}, {ShardKind::spool, 7, 0},
                              {ShardKind::mailbox, 7, 1}, {ShardKind::mailbox, 7ull << 56, 0}};
    put("k", "mine");
    for (const ShardId& other : others) {
        EXPECT_EQ(get("k", other), "(absent)");
        EXPECT_TRUE(store_->scan(other, "", "", 10)->rows.empty());
        ASSERT_TRUE(store_->commit_and_wait(batch(other, {Put{"k", "theirs"}})));
    }
    EXPECT_EQ(get("k"), "mine");
    EXPECT_EQ(store_->scan(shard_, "", "", 10)->rows.size(), 1u);
}

TEST_P(Rows, KeysAndValuesAreAnyBytes) {
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    put(all, all);
    EXPECT_EQ(get(all), all);
    put(std::string(1, '\0'), "zero");
    EXPECT_EQ(get(std::string(1, '\0')), "zero");
}

TEST_P(Rows, ScanIsInOrderOfUnsignedBytes) {
    for (const char* key : {"b", "a", "\xff", "aa", "\x01", "ab"}) put(key, "v");
    EXPECT_THAT(keys("", ""), ElementsAre("\x01", "a", "aa", "ab", "b", "\xff"));
}

TEST_P(Rows, ScanTakesFromAndLeavesTo) {
    for (const char* key : {"a", "b", "c", "d"}) put(key, "v");
    EXPECT_THAT(keys("b", "d"), ElementsAre("b", "c"));
    EXPECT_THAT(keys("bb", "cc"), ElementsAre("c"));
    EXPECT_THAT(keys("c", ""), ElementsAre("c", "d"));
    EXPECT_THAT(keys("d", "b"), ElementsAre());
    EXPECT_THAT(keys("e", ""), ElementsAre());
}

TEST_P(Rows, ScanPages) {
    for (const char* key : {"a", "b", "c"}) put(key, key);
    Page page = *store_->scan(shard_, "", "", 2);
    ASSERT_EQ(page.rows.size(), 2u);
    EXPECT_TRUE(page.more);
    page = *store_->scan(shard_, page.rows.back().key + '\0', "", 2);
    ASSERT_EQ(page.rows.size(), 1u);
    EXPECT_EQ(page.rows[0].value, "c");
    EXPECT_FALSE(page.more);
    EXPECT_FALSE(store_->scan(shard_, "", "", 3)->more);
    EXPECT_FALSE(store_->scan(shard_, "", "c", 2)->more);
}

TEST_P(Rows, ScanLimitIsBounded) {
    EXPECT_EQ(store_->scan(shard_, "", "", 0).error().code, Errc::invalid);
    EXPECT_TRUE(store_->scan(shard_, "", "", max_page_rows - 1));
    EXPECT_TRUE(store_->scan(shard_, "", "", max_page_rows));
    EXPECT_EQ(store_->scan(shard_, "", "", max_page_rows + 1).error().code, Errc::invalid);
}

TEST_P(Rows, APageEndsBeforeItsBytesPassTheBound) {
    const std::string value(max_value_bytes, 'v');
    const std::size_t fitting = max_page_bytes / (max_value_bytes + 2);
    for (std::size_t i = 0; i <= fitting; ++i) put(std::string{'k', static_cast<char>(i)}, value);
    const Page page = *store_->scan(shard_, "", "", max_page_rows);
    EXPECT_EQ(page.rows.size(), fitting);
    EXPECT_TRUE(page.more);
}

TEST_P(Rows, PreconditionsHoldOrNothingChanges) {
    put("a", "1");
    const auto attempt = [&](std::vector<Precondition> preconditions) {
        Batch change = batch(shard_, {Put{"b", "2"}});
        change.preconditions = std::move(preconditions);
        return *store_->commit_and_wait(std::move(change));
    };
    EXPECT_EQ(attempt({{"a", "2"}}), Outcome::conflict);
    EXPECT_EQ(attempt({{"a", std::nullopt}}), Outcome::conflict);
    EXPECT_EQ(attempt({{"x", "1"}}), Outcome::conflict);
    EXPECT_EQ(attempt({{"a", "1"}, {"x", "1"}}), Outcome::conflict);
    EXPECT_EQ(attempt({{"a", "11"}}), Outcome::conflict);
    EXPECT_EQ(get("b"), "(absent)");
    EXPECT_EQ(attempt({{"a", "1"}, {"x", std::nullopt}}), Outcome::committed);
    EXPECT_EQ(get("b"), "2");
}

TEST_P(Rows, PreconditionsSeeTheStateBeforeTheBatch) {
    Batch change = batch(shard_, {Put{"a", "1"}});
    change.preconditions = {{"a", std::nullopt}};
    EXPECT_EQ(*store_->commit_and_wait(change), Outcome::committed);
    EXPECT_EQ(*store_->commit_and_wait(change), Outcome::conflict);
}

TEST_P(Rows, ABatchMayOnlyCheck) {
    Batch check = batch(shard_, {});
    check.preconditions = {{"a", std::nullopt}};
    EXPECT_EQ(*store_->commit_and_wait(check), Outcome::committed);
    put("a", "1");
    check.operation = random_id();
    EXPECT_EQ(*store_->commit_and_wait(check), Outcome::conflict);
}

TEST_P(Rows, BatchesOfAShardCommitInTheirOrder) {
    std::vector<std::promise<CommitResult>> promises(100);
    std::vector<int> order;
    for (int i = 0; i < 100; ++i) {
        Batch next = batch(shard_, {Put{"n", std::to_string(i)}});
        if (i > 0) next.preconditions = {{"n", std::to_string(i - 1)}};
        store_->commit(std::move(next), [&promises, &order, i](CommitResult result) {
            order.push_back(i);
            promises[i].set_value(result);
        });
    }
    for (auto& promise : promises) EXPECT_EQ(*promise.get_future().get(), Outcome::committed);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(get("n"), "99");
}

TEST_P(Rows, AConflictInAGroupHarmsNobodyElse) {
    std::vector<std::promise<CommitResult>> promises(30);
    for (int i = 0; i < 30; ++i) {
        Batch next = batch(shard_, {Put{"k" + std::to_string(i), "v"}});
        if (i % 3 == 1) next.preconditions = {{"absent", "1"}};
        if (i % 3 == 2) next.operations.push_back(Put{"", "bad"});
        store_->commit(std::move(next), [&promises, i](CommitResult result) {
            promises[i].set_value(std::move(result));
        });
    }
    for (int i = 0; i < 30; ++i) {
        const CommitResult result = promises[i].get_future().get();
        if (i % 3 == 0) {
            EXPECT_EQ(*result, Outcome::committed);
        }
        if (i % 3 == 1) {
            EXPECT_EQ(*result, Outcome::conflict);
        }
        if (i % 3 == 2) {
            EXPECT_EQ(result.error().code, Errc::invalid);
        }
    }
    EXPECT_EQ(keys("", "").size(), 10u);
}

TEST_P(Rows, WhatIsQueuedIsFinishedAtTheEnd) {
    std::atomic<int> done = 0;
    for (int i = 0; i < 50; ++i) {
        store_->commit(batch(shard_, {Put{"a", "1"}}),
                       [&done](CommitResult result) { done += result ? 1 : 0; });
    }
    store_.reset();
    EXPECT_EQ(done, 50);
}

INSTANTIATE_TEST_SUITE_P(Engines, Rows, testing::ValuesIn(all_engines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace postern::kv

#include "gateway/learning/learn_log.h"

#include "tests/gateway/learning/jobs.h"

#include <gtest/gtest.h>

#include <thread>

namespace postern::learning {
namespace {

std::vector<std::uint64_t> numbers(LearnLog& log, std::uint64_t after) {
    std::vector<std::uint64_t> all;
    for (;;) {
        auto page = log.read(after);
        EXPECT_TRUE(page.has_value());
        for (const auto& entry : page->jobs) all.push_back(entry.number);
        if (page->next_after == after) return all;
        after = page->next_after;
    }
}

TEST(LearnJob, SurvivesEncoding) {
    const auto job = spam_job(7);
    const auto back = decode_job(encode_job(job));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->action, LearnAction::spam);
    EXPECT_EQ(back->who, job.who);
    EXPECT_EQ(back->when, job.when);
    EXPECT_EQ(back->features, job.features);
}

TEST(LearnJob, LongNamesAreCut) {
    for (const std::size_t length :
         {max_learn_who_bytes - 1, max_learn_who_bytes, max_learn_who_bytes + 1}) {
        auto job = ham_job(1);
        job.who.assign(length, 'x');
        EXPECT_EQ(decode_job(encode_job(job))->who.size(), std::min(length, max_learn_who_bytes));
    }
}

TEST(LearnJob, TheLargestFitsOneRow) {
    auto job = job_of(1, LearnAction::ham, filters::max_features);
    job.who.assign(max_learn_who_bytes, 'x');
    for (std::uint32_t i = 0; i < filters::max_grams; ++i) job.features.grams.push_back(i);
    auto store = kv::make_memory_store();
    LearnLog log(*store);
    const std::vector<LearnJob> jobs(40, job);
    ASSERT_TRUE(log.append(jobs).has_value());
    EXPECT_EQ(numbers(log, 0).size(), 40u);
}

TEST(LearnJob, EveryCutIsRefused) {
    const auto bytes = encode_job(spam_job(3));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        EXPECT_FALSE(decode_job(std::string_view(bytes).substr(0, length)).has_value()) << length;
    }
    auto wrong = bytes;
    wrong[0] = 99;
    EXPECT_FALSE(decode_job(wrong).has_value());
    wrong = bytes;
    wrong[1] = 3;
    EXPECT_FALSE(decode_job(wrong).has_value());
}

TEST(LearnLog, NumbersJobsInOrderAndReadsPages) {
    auto store = kv::make_memory_store();
    LearnLog log(*store);
    std::vector<LearnJob> jobs;
    for (std::uint64_t i = 0; i < 1500; ++i) jobs.push_back(ham_job(i));
    ASSERT_TRUE(log.append(jobs).has_value());
    const auto all = numbers(log, 0);
    ASSERT_EQ(all.size(), 1500u);
    for (std::uint64_t i = 0; i < 1500; ++i) EXPECT_EQ(all[i], i + 1);
    EXPECT_EQ(numbers(log, 1400).size(), 100u);
    EXPECT_EQ(log.read(0)->last, 1500u);
}

TEST(LearnLog, TrimmedJobsAreGoneAndSaidToBe) {
    auto store = kv::make_memory_store();
    LearnLog log(*store);
    std::vector<LearnJob> jobs;
    for (std::uint64_t i = 0; i < 300; ++i) jobs.push_back(ham_job(i));
    ASSERT_TRUE(log.append(jobs).has_value());
    ASSERT_TRUE(log.trim(200).has_value());
    EXPECT_EQ(numbers(log, 0).front(), 201u);
    EXPECT_EQ(log.read(0)->trimmed, 200u);
    ASSERT_TRUE(log.trim(300).has_value());
    ASSERT_TRUE(log.append(std::span(jobs).first(1)).has_value());
    EXPECT_EQ(numbers(log, 0), std::vector<std::uint64_t>{301});
}

TEST(LearnLog, WritersInSeveralThreadsAndProcessesLoseNothing) {
    auto store = kv::make_memory_store();
    // Two logs over one store stand for two processes: only the store's preconditions part them.
    LearnLog one(*store);
    LearnLog two(*store);
    std::vector<std::thread> writers;
    for (std::uint64_t w = 0; w < 4; ++w) {
        writers.emplace_back([&, w] {
            for (std::uint64_t i = 0; i < 50; ++i) {
                const LearnJob job = spam_job(w * 1000 + i);
                while (!(w % 2 == 0 ? one : two).append({&job, 1}).has_value()) {
                }
            }
        });
    }
    for (auto& writer : writers) writer.join();
    const auto all = numbers(one, 0);
    ASSERT_EQ(all.size(), 200u);
    EXPECT_EQ(all.back(), 200u);
}

TEST(LearnLog, UnreadableEntriesAreCountedAndPassedOver) {
    auto store = kv::make_memory_store();
    LearnLog log(*store);
    const LearnJob jobs[] = {spam_job(1), spam_job(2), spam_job(3)};
    ASSERT_TRUE(log.append(jobs).has_value());
    kv::Batch batch;
    batch.shard = {kv::ShardKind::learn_log, 0, 0};
    batch.operation.bytes[0] = 1;
    batch.operations.emplace_back(kv::Put{std::string("e\0\0\0\0\0\0\0\2", 9), "garbage"});
    ASSERT_TRUE(store->commit_and_wait(std::move(batch)).has_value());
    EXPECT_EQ(numbers(log, 0), (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(log.read(0)->unreadable, 1u);
}

}  // namespace
}  // namespace postern::learning

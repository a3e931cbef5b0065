#include "gateway/health/health.h"

#include <gtest/gtest.h>

namespace postern::health {

namespace {

constexpr std::uint64_t gib = 1024ull * 1024 * 1024;

Level certificate(std::chrono::hours left, bool self_signed = false) {
    const auto now = from_unix_ms(1'700'000'000'000);
    return judge_certificate({now + left, self_signed, false, true, "mx"}, now).level;
}

}  // namespace

TEST(Health, ADiskFillsUp) {
    EXPECT_EQ(judge_disk({100 * gib, 15 * gib + 1, true}, "/x").level, Level::good);
    EXPECT_EQ(judge_disk({100 * gib, 15 * gib - 1, true}, "/x").level, Level::warning);
    EXPECT_EQ(judge_disk({100 * gib, 2 * gib, true}, "/x").level, Level::warning);
    EXPECT_EQ(judge_disk({100 * gib, 2 * gib - 1, true}, "/x").level, Level::bad);
    EXPECT_EQ(judge_disk({gib, disk_bad_bytes - 1, true}, "/x").level, Level::bad);
    EXPECT_EQ(judge_disk({}, "/x").level, Level::skipped);
    EXPECT_TRUE(disk_of("/").known);
    EXPECT_FALSE(disk_of("/no/such/folder").known);
}

TEST(Health, ACertificateEnds) {
    using days = std::chrono::duration<int, std::ratio<86400>>;
    EXPECT_EQ(certificate(days(certificate_warning_days)), Level::good);
    EXPECT_EQ(certificate(days(certificate_warning_days) - std::chrono::hours(1)), Level::warning);
    EXPECT_EQ(certificate(days(certificate_bad_days)), Level::warning);
    EXPECT_EQ(certificate(days(certificate_bad_days) - std::chrono::hours(1)), Level::bad);
    EXPECT_EQ(certificate(std::chrono::hours(0)), Level::bad);
    EXPECT_EQ(certificate(days(300), true), Level::warning);
}

TEST(Health, WhoRenewsACertificateIsNamed) {
    const auto now = from_unix_ms(1'700'000'000'000);
    const auto later = now + std::chrono::hours(24 * 300);
    const auto remedy = [&](Time expires, bool self_signed, bool by_acme) {
        return judge_certificate({expires, self_signed, by_acme, true, "mx"}, now).remedy;
    };
    EXPECT_NE(remedy(now, false, true).find("certificate renew"), std::string::npos);
    EXPECT_NE(remedy(now, false, false).find("reload"), std::string::npos);
    EXPECT_NE(remedy(later, true, true).find("has not come"), std::string::npos);
    EXPECT_EQ(remedy(later, false, true), "");
}

TEST(Health, ACertificateForAnotherName) {
    const auto now = from_unix_ms(1'700'000'000'000);
    const auto later = now + std::chrono::hours(24 * 300);
    const auto found = judge_certificate({later, false, false, false, "mx.test"}, now);
    EXPECT_EQ(found.level, Level::warning);
    EXPECT_NE(found.text.find("mx.test"), std::string::npos);
    // What is worse comes first.
    EXPECT_EQ(judge_certificate({now, false, false, false, "mx.test"}, now).level, Level::bad);
}

TEST(Health, SmallDisksAreToldInMiB) {
    EXPECT_NE(judge_disk({2 * gib, 50 << 20, true}, "/x").text.find("50 MiB free of 2.0 GiB"),
              std::string::npos);
    EXPECT_NE(judge_disk({2 * gib, gib, true}, "/x").text.find("1.0 GiB free"), std::string::npos);
    EXPECT_NE(judge_disk({2 * gib, gib - 1, true}, "/x").text.find("1024 MiB free"),
              std::string::npos);
}

TEST(Health, LearningFallsBehind) {
    EXPECT_EQ(judge_learning(5, 5 + learning_warning_jobs, 1, 1).level, Level::good);
    EXPECT_EQ(judge_learning(5, 6 + learning_warning_jobs, 1, 1).level, Level::warning);
    EXPECT_EQ(judge_learning(7, 5, 1, 1).level, Level::good);
    EXPECT_NE(judge_learning(0, 0, 0, 0).remedy, "");
}

TEST(Health, TheQueueGrows) {
    EXPECT_EQ(judge_queue(queue_warning_messages, queue_warning_age_s).level, Level::good);
    EXPECT_EQ(judge_queue(queue_warning_messages + 1, 0).level, Level::warning);
    EXPECT_EQ(judge_queue(1, queue_warning_age_s + 1).level, Level::warning);
}

TEST(Health, TheWorstFindingCounts) {
    EXPECT_EQ(worst({}), Level::good);
    EXPECT_EQ(worst({{"a", Level::skipped, "", ""}, {"b", Level::warning, "", ""}}),
              Level::warning);
    EXPECT_EQ(worst({{"a", Level::bad, "", ""}, {"b", Level::warning, "", ""}}), Level::bad);
}

}  // namespace postern::health

#include "gateway/limits/rate_limiter.h"

#include <gtest/gtest.h>

namespace postern::limits {
namespace {

using std::chrono::seconds;

constexpr Rate three_a_minute{3, seconds(60)};

TEST(RateLimiter, SoManyAtOnceAndThenAsTheyComeBack) {
    RateLimiter limiter;
    const auto start = RateLimiter::Clock::now();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.take("a", three_a_minute, start));
    EXPECT_FALSE(limiter.take("a", three_a_minute, start));
    EXPECT_TRUE(limiter.take("b", three_a_minute, start));
    EXPECT_FALSE(limiter.take("a", three_a_minute, start + seconds(19)));
    EXPECT_TRUE(limiter.take("a", three_a_minute, start + seconds(21)));
    EXPECT_FALSE(limiter.take("a", three_a_minute, start + seconds(22)));
}

TEST(RateLimiter, ARefusalCostsNothing) {
    RateLimiter limiter;
    const auto start = RateLimiter::Clock::now();
    EXPECT_FALSE(limiter.take("a", three_a_minute, start, 4));
    EXPECT_TRUE(limiter.take("a", three_a_minute, start, 3));
}

TEST(RateLimiter, ZeroIsNoLimit) {
    RateLimiter limiter;
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limiter.take("a", Rate{}, {}));
    EXPECT_EQ(limiter.size(), 0u);
}

TEST(RateLimiter, MemoryIsBounded) {
    RateLimiter limiter(4);
    const auto start = RateLimiter::Clock::now();
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(limiter.take(std::to_string(i), three_a_minute, start + seconds(i), 3));
    }
    EXPECT_EQ(limiter.size(), 4u);
    // All are busy: the one that was seen longest ago makes room.
    EXPECT_TRUE(limiter.take("new", three_a_minute, start + seconds(4), 3));
    EXPECT_EQ(limiter.size(), 4u);
    EXPECT_FALSE(limiter.take("1", three_a_minute, start + seconds(4), 3));
    // All are at rest: only the newcomer is known.
    EXPECT_TRUE(limiter.take("later", three_a_minute, start + seconds(600)));
    EXPECT_EQ(limiter.size(), 1u);
}

}  // namespace
}  // namespace postern::limits

#include "gateway/auth/authenticator.h"

#include <gtest/gtest.h>

namespace postern::auth {
namespace {

using std::chrono::milliseconds;

TEST(FailureDelays, DoubleUpToABoundAndAreForgotten) {
    FailureDelays delays;
    const auto now = FailureDelays::Clock::now();
    const milliseconds base(100);
    for (int expected : {100, 200, 400, 800, 1600, 1600}) {
        EXPECT_EQ(delays.failed("a", base, now).count(), expected);
    }
    EXPECT_EQ(delays.failed("b", base, now).count(), 100);
    delays.succeeded("a");
    EXPECT_EQ(delays.failed("a", base, now).count(), 100);
    EXPECT_EQ(delays.failed("a", base, now + FailureDelays::memory).count(), 200);
    EXPECT_EQ(delays.failed("a", base, now + FailureDelays::memory * 3).count(), 100);
}

TEST(FailureDelays, RememberABoundedNumberOfAddresses) {
    FailureDelays delays;
    const auto now = FailureDelays::Clock::now();
    for (std::size_t i = 0; i + 1 < FailureDelays::max_addresses; ++i) {
        delays.failed(std::to_string(i), milliseconds(1), now);
    }
    EXPECT_EQ(delays.size(), FailureDelays::max_addresses - 1);
    delays.failed("one more", milliseconds(1), now);
    EXPECT_EQ(delays.size(), FailureDelays::max_addresses);
    delays.failed("too many", milliseconds(1), now);
    EXPECT_LE(delays.size(), FailureDelays::max_addresses);
}

}  // namespace
}  // namespace postern::auth

#include "gateway/net/dialer.h"

#include <gtest/gtest.h>

namespace postern::net {
namespace {

bool is_usable(std::uint8_t usage, std::uint8_t selector, std::uint8_t matching,
               std::size_t bytes) {
    return Tlsa{usage, selector, matching, std::string(bytes, 'x')}.is_usable();
}

// RFC 7672 section 3.1.3.
TEST(Tlsa, OnlyTrustAnchorsAndEndEntitiesCount) {
    EXPECT_FALSE(is_usable(0, 1, 1, 32));
    EXPECT_FALSE(is_usable(1, 1, 1, 32));
    EXPECT_TRUE(is_usable(2, 1, 1, 32));
    EXPECT_TRUE(is_usable(3, 0, 1, 32));
    EXPECT_FALSE(is_usable(4, 1, 1, 32));
    EXPECT_FALSE(is_usable(3, 2, 1, 32));
    EXPECT_FALSE(is_usable(3, 1, 3, 32));
}

TEST(Tlsa, DigestsHaveTheirLength) {
    for (const std::size_t bytes : {31u, 32u, 33u}) {
        EXPECT_EQ(is_usable(3, 1, 1, bytes), bytes == 32) << bytes;
    }
    for (const std::size_t bytes : {63u, 64u, 65u}) {
        EXPECT_EQ(is_usable(3, 1, 2, bytes), bytes == 64) << bytes;
    }
    EXPECT_FALSE(is_usable(3, 1, 0, 0));
    EXPECT_TRUE(is_usable(3, 1, 0, 1));
}

}  // namespace
}  // namespace postern::net

#include "gateway/net/ticket_keys.h"

#include <gtest/gtest.h>

namespace postern::net {
namespace {

using std::chrono_literals::operator""s;

TEST(TicketKeys, AKeyMakesTicketsForItsLifeAndOpensThemForAsLongAgain) {
    TicketKeys keys;
    const TicketKeys::Clock::time_point start{};
    const auto first = keys.current(start);
    ASSERT_TRUE(first);
    EXPECT_EQ(keys.current(start + TicketKeys::life - 1s)->name, first->name);
    const auto second = keys.current(start + TicketKeys::life);
    ASSERT_TRUE(second);
    EXPECT_NE(second->name, first->name);
    EXPECT_NE(second->aes, first->aes);
    EXPECT_NE(second->mac, first->mac);

    const auto at = start + TicketKeys::life;
    ASSERT_TRUE(keys.find(first->name.data(), at));
    EXPECT_TRUE(keys.find(first->name.data(), at)->renew);
    EXPECT_EQ(keys.find(first->name.data(), at)->key.aes, first->aes);
    EXPECT_FALSE(keys.find(second->name.data(), at)->renew);
    EXPECT_TRUE(keys.find(first->name.data(), start + 2 * TicketKeys::life - 1s));
    EXPECT_FALSE(keys.find(first->name.data(), start + 2 * TicketKeys::life));
}

TEST(TicketKeys, OnlyTwoKeysAreKept) {
    TicketKeys keys;
    const TicketKeys::Clock::time_point start{};
    const auto first = keys.current(start);
    keys.current(start + TicketKeys::life);
    keys.current(start + 2 * TicketKeys::life);
    EXPECT_FALSE(keys.find(first->name.data(), start + TicketKeys::life));
    unsigned char unknown[16] = {};
    EXPECT_FALSE(keys.find(unknown, start));
}

}  // namespace
}  // namespace postern::net

#include "gateway/outbound/own_address.h"

#include <gtest/gtest.h>

namespace postern::outbound {
namespace {

config::Config listening(std::vector<config::Endpoint> at) {
    config::Config config;
    config.listeners.smtp = std::move(at);
    return config;
}

TEST(OwnAddress, WhereAListenerIsBound) {
    const auto config = listening({{"127.0.0.5", 25}});
    EXPECT_TRUE(is_own_address(config, "127.0.0.5", 25));
    EXPECT_FALSE(is_own_address(config, "127.0.0.5", 2525));
    EXPECT_FALSE(is_own_address(config, "127.0.0.6", 25));
    EXPECT_FALSE(is_own_address(config, "::1", 25));
}

TEST(OwnAddress, EveryAddressOfTheMachineWhereItIsBoundToAll) {
    const auto config = listening({{"0.0.0.0", 25}});
    EXPECT_TRUE(is_own_address(config, "127.0.0.1", 25));
    EXPECT_TRUE(is_own_address(config, "127.255.1.2", 25));
    EXPECT_TRUE(is_own_address(config, "0.0.0.0", 25));  // leads to the machine itself
    EXPECT_FALSE(is_own_address(config, "192.0.2.1", 25));
    EXPECT_FALSE(is_own_address(config, "not an address", 25));
}

TEST(OwnAddress, NoListenerNoLoop) {
    EXPECT_FALSE(is_own_address(listening({}), "127.0.0.1", 25));
}

}  // namespace
}  // namespace postern::outbound

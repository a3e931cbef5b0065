#include "protocols/wire/ip_address.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

std::string round_trip(std::string_view text) {
    const auto address = parse_ip(text);
    return address ? to_string(*address) : "(none)";
}

TEST(IpAddress, IsWrittenInOneWay) {
    EXPECT_EQ(round_trip("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(round_trip("::"), "::");
    EXPECT_EQ(round_trip("::1"), "::1");
    EXPECT_EQ(round_trip("1::"), "1::");
    EXPECT_EQ(round_trip("2001:DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
    EXPECT_EQ(round_trip("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
    EXPECT_EQ(round_trip("1:2:3:4:5:6:192.0.2.1"), "1:2:3:4:5:6:c000:201");
    EXPECT_EQ(round_trip("::ffff:192.0.2.1"), "192.0.2.1");
}

TEST(IpAddress, NonsenseIsRefused) {
    for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.0004", "1.2.3.4 ",
                             ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
                             "1:2:3:4:5:6:7::8", "12345::", "g::", "::1.2.3", "1:2:3:4:5:6:7:"}) {
        EXPECT_FALSE(parse_ip(text)) << text;
    }
}

TEST(IpNetwork, Contains) {
    const auto in = [](const char* network, const char* address) {
        return parse_ip_network(network)->contains(*parse_ip(address));
    };
    EXPECT_TRUE(in("192.0.2.0/24", "192.0.2.255"));
    EXPECT_FALSE(in("192.0.2.0/24", "192.0.3.0"));
    EXPECT_TRUE(in("192.0.2.8/30", "192.0.2.11"));
    EXPECT_FALSE(in("192.0.2.8/30", "192.0.2.12"));
    EXPECT_TRUE(in("0.0.0.0/0", "192.0.2.12"));
    EXPECT_FALSE(in("0.0.0.0/0", "::1"));
    EXPECT_TRUE(in("192.0.2.1", "::ffff:192.0.2.1"));
    EXPECT_TRUE(in("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(in("2001:db8::/33", "2001:db8:8000::1"));
    for (const char* text : {"192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/-1", "x/8"}) {
        EXPECT_FALSE(parse_ip_network(text)) << text;
    }
}

TEST(IpNetwork, OfAnAddress) {
    EXPECT_EQ(network_of(*parse_ip("192.0.2.77"), 24, 64), "192.0.2.0/24");
    EXPECT_EQ(network_of(*parse_ip("192.0.2.77"), 32, 64), "192.0.2.77/32");
    EXPECT_EQ(network_of(*parse_ip("192.0.2.77"), 29, 64), "192.0.2.72/29");
    EXPECT_EQ(network_of(*parse_ip("2001:db8:1:2:3::4"), 24, 64), "2001:db8:1:2::/64");
    EXPECT_EQ(network_of(*parse_ip("2001:db8:1:2:3::4"), 24, 0), "::/0");
}

}  // namespace
}  // namespace postern::wire

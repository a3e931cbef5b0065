#include "protocols/mime/address.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace postern::mime {
namespace {

// "name|local|domain" of each, "name{" and "}" for groups.
std::string read(std::string_view value) {
    std::string out;
    for (const Address& address : parse_addresses(value)) {
        if (!out.empty()) out += ' ';
        if (address.kind == Address::Kind::group_start) {
            out += address.name + '{';
        } else if (address.kind == Address::Kind::group_end) {
            out += '}';
        } else {
            out += address.name + '|' + address.local + '|' + address.domain;
        }
    }
    return out;
}

TEST(Addresses, UsualForms) {
    EXPECT_EQ(read("joe@example.net"), "|joe|example.net");
    EXPECT_EQ(read("Joe Q. Public <joe@example.net>"), "Joe Q. Public|joe|example.net");
    EXPECT_EQ(read("\"Public, Joe\" <joe@example.net>, b@c"), "Public, Joe|joe|example.net |b|c");
    EXPECT_EQ(read("<joe@example.net>"), "|joe|example.net");
    EXPECT_EQ(read("joe@example.net (Joe (the) Public)"), "Joe (the) Public|joe|example.net");
    EXPECT_EQ(read("=?utf-8?q?J=C3=B6?= =?utf-8?q?e?= <j@x>"),
              "=?utf-8?q?J=C3=B6?= =?utf-8?q?e?=|j|x");
    EXPECT_EQ(read("Joe\r\n <joe@example.net>,\r\n\tb@c"), "Joe|joe|example.net |b|c");
}

TEST(Addresses, Groups) {
    EXPECT_EQ(read("undisclosed-recipients:;"), "undisclosed-recipients{ }");
    EXPECT_EQ(read("A Group:Ed <e@x>,joe@y;, z@z"), "A Group{ Ed|e|x |joe|y } |z|z");
    EXPECT_EQ(read("open: a@b"), "open{ |a|b }");
    EXPECT_EQ(read("a:b:c@d;"), "a{ b|c|d }") << "a group in a group does not exist";
}

TEST(Addresses, ObsoleteSyntax) {
    EXPECT_EQ(read("joe . public @ example . net"), "|joe.public|example.net");
    EXPECT_EQ(read("<@a.example,@b.example:joe@c.example>"), "|joe|c.example");
    const auto routed = parse_addresses("<@a.example, @b.example :joe@c.example>, ann@d.example");
    ASSERT_EQ(routed.size(), 2U);
    EXPECT_EQ(routed[0].route, "@a.example,@b.example");
    EXPECT_EQ(routed[1].route, "");
    EXPECT_EQ(read(",,joe@x,, ,b@y,"), "|joe|x |b|y");
    EXPECT_EQ(read("\"joe public\"@example.net"), "|joe public|example.net");
    EXPECT_EQ(read("joe@[192.0.2.1]"), "|joe|[192.0.2.1]");
    EXPECT_EQ(read("joe(c)@(d)example.net(e)"), "c|joe|example.net");
}

TEST(Addresses, WhatRealMailWrites) {
    EXPECT_EQ(read("joe@example.net <joe@example.net>"), "joe@example.net|joe|example.net");
    EXPECT_EQ(read("Joe joe@example.net"), "Joe|joe|example.net");
    EXPECT_EQ(read("MAILER-DAEMON"), "|MAILER-DAEMON|");
    EXPECT_EQ(read("Mail Delivery System"), "Mail Delivery System||");
    EXPECT_EQ(read("Joe <>"), "Joe||");
    EXPECT_EQ(read("<joe>"), "|joe|");
    EXPECT_EQ(read("a@b@c"), "|a@b|c");
    EXPECT_EQ(read("<Some One @ example . net>"), "|Some One|example.net");
    EXPECT_EQ(read("joe@"), "|joe|");
    EXPECT_EQ(read("@example.net"), "||example.net");
    EXPECT_EQ(read("<joe@x, b@y"), "|joe|x |b|y");
    EXPECT_EQ(read("\"open <joe@x>"), "|open <joe@x>|");
    EXPECT_EQ(read(""), "");
    EXPECT_EQ(read(" ; : , > ) "), "");
}

TEST(Addresses, CountIsBounded) {
    for (const std::size_t count : {max_addresses - 1, max_addresses, max_addresses + 1}) {
        std::string value;
        for (std::size_t i = 0; i < count; ++i) value += "a@b,";
        EXPECT_EQ(parse_addresses(value).size(), std::min(count, max_addresses));
    }
    std::string group = "g:";
    for (std::size_t i = 0; i < 2 * max_addresses; ++i) group += "a@b,";
    EXPECT_EQ(parse_addresses(group).size(), max_addresses);
}

TEST(Addresses, HostileInputCostsLinearTime) {
    const auto start = std::chrono::steady_clock::now();
    for (const char c : std::string("(<\"[:@,;\\ a.")) {
        parse_addresses(std::string(300'000, c));
    }
    std::string mixed;
    for (int i = 0; i < 200'000; ++i) mixed += "a @ : ";
    parse_addresses(mixed);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Addresses, AddrSpec) {
    EXPECT_EQ(parse_addresses("Joe <joe@x>")[0].addr_spec(), "joe@x");
    EXPECT_EQ(parse_addresses("joe")[0].addr_spec(), "joe");
}

}  // namespace
}  // namespace postern::mime

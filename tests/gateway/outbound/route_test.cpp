#include "gateway/outbound/route.h"

#include "gateway/outbound/retry.h"

#include <gtest/gtest.h>

namespace postern::outbound {
namespace {

config::Outbound settings() {
    config::Outbound config;
    config.transports = {{"example.org", "lmtp:127.0.0.1:24"},
                         {".example.org", "smtp:inner.example.org"},
                         {".deep.example.org", "smtp:[2001:db8::1]:2525"}};
    config.relay_domains = {"example.org", ".example.com"};
    return config;
}

std::string key(std::string_view domain, const config::Outbound& config) {
    return route_for(domain, config).key();
}

TEST(Route, TransportsByDomainThenByParent) {
    const auto config = settings();
    EXPECT_EQ(key("example.org", config), "lmtp:127.0.0.1:24");
    EXPECT_EQ(key("a.example.org", config), "smtp:inner.example.org:25");
    EXPECT_EQ(key("x.deep.example.org", config), "smtp:2001:db8::1:2525");
    EXPECT_EQ(key("notexample.org", config), "notexample.org");
    EXPECT_EQ(route_for("notexample.org", config).kind, Route::Kind::mx);
}

TEST(Route, Smarthost) {
    auto config = settings();
    config.smarthost = "relay.example.net";
    EXPECT_EQ(key("elsewhere.example", config), "smarthost:relay.example.net:587");
    EXPECT_EQ(key("example.org", config), "lmtp:127.0.0.1:24");
    config.smarthost = "192.0.2.1:25";
    EXPECT_EQ(key("elsewhere.example", config), "smarthost:192.0.2.1:25");
}

TEST(Route, RelayDomains) {
    const auto config = settings();
    EXPECT_TRUE(is_relay_domain("Example.org", config));
    EXPECT_FALSE(is_relay_domain("a.example.org", config));
    EXPECT_TRUE(is_relay_domain("a.example.com", config));
    EXPECT_FALSE(is_relay_domain("example.com", config));
    EXPECT_FALSE(is_relay_domain("aexample.com", config));
}

TEST(Route, DomainOf) {
    EXPECT_EQ(domain_of("A@B.Example"), "b.example");
    EXPECT_EQ(domain_of("\"x@y\"@b.example"), "b.example");
}

TEST(Retry, DoublesUpToTheLongest) {
    config::Outbound config;
    config.retry_first_s = 300;
    config.retry_longest_s = 1000;
    const auto wait_s = [&](std::uint32_t attempts, double chance) {
        return to_unix_ms(next_attempt(from_unix_ms(0), attempts, chance, config)) / 1000;
    };
    EXPECT_EQ(wait_s(1, 0.5), 300);
    EXPECT_EQ(wait_s(2, 0.5), 600);
    EXPECT_EQ(wait_s(3, 0.5), 1000);
    EXPECT_EQ(wait_s(4'000'000'000, 0.5), 1000);
    EXPECT_EQ(wait_s(1, 0.0), 240);
    EXPECT_EQ(wait_s(1, 1.0), 360);
}

TEST(Retry, Ages) {
    config::Outbound config;
    const auto after = [](std::uint64_t s) {
        return from_unix_ms(static_cast<std::int64_t>(s) * 1000);
    };
    const auto limit = config.give_up_after_s;
    EXPECT_FALSE(is_too_old(after(limit - 1), from_unix_ms(0), config));
    EXPECT_TRUE(is_too_old(after(limit), from_unix_ms(0), config));
    EXPECT_TRUE(is_too_old(after(limit + 1), from_unix_ms(0), config));
    EXPECT_FALSE(is_late(after(config.delay_notice_after_s - 1), from_unix_ms(0), config));
    EXPECT_TRUE(is_late(after(config.delay_notice_after_s), from_unix_ms(0), config));
}

}  // namespace
}  // namespace postern::outbound

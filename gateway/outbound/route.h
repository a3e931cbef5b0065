// Which way mail for a domain goes, by configuration alone.
#pragma once

#include "gateway/config/config.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::outbound {

struct Route {
    enum class Kind : std::uint8_t { mx, smtp, lmtp, smarthost };
    Kind kind = Kind::mx;
    std::string host;  // mx: the domain; else a host name or a numeric address
    std::uint16_t port = 25;
    // Names the destination in limits and logs: mail of one key may share a connection.
    std::string key() const;
};

// domain: lower case, or an address literal in brackets. transports first (the domain itself, then
// ".parent" with the longest parent), then the smarthost, then MX.
Route route_for(std::string_view domain, const config::Outbound& config);

// Whether mail for that domain is taken from anybody (outbound.relay_domains).
bool is_relay_domain(std::string_view domain, const config::Outbound& config);

// "HOST", "HOST:PORT", "[ADDRESS]:PORT".
void split_host_port(std::string_view text, std::string& host, std::uint16_t& port);

std::string domain_of(std::string_view address);  // lower case

}  // namespace postern::outbound

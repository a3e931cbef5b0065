// Numeric addresses as text, without the system's resolver.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::wire {

struct IpAddress {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{};  // an IPv4 address is the first four
    std::size_t size() const { return v6 ? 16 : 4; }
    bool operator==(const IpAddress&) const = default;
};

// "192.0.2.1" or "2001:db8::1", without brackets. An IPv4 address mapped into IPv6 is IPv4.
std::optional<IpAddress> parse_ip(std::string_view text);
std::string to_string(const IpAddress& address);  // RFC 5952

// "192.0.2.0/24"; without "/": the address alone.
struct IpNetwork {
    IpAddress address;
    unsigned prefix_bits = 0;
    bool contains(const IpAddress& other) const;
};
std::optional<IpNetwork> parse_ip_network(std::string_view text);

// Whether a numeric address is in one of these networks. What does not parse is in none.
bool is_among(const std::vector<std::string>& networks, std::string_view address);

// The network that an address counts for in limits, as text: an IPv4 /`v4_bits` or IPv6 /`v6_bits`.
std::string network_of(const IpAddress& address, unsigned v4_bits, unsigned v6_bits);

}  // namespace postern::wire

#include "protocols/wire/ip_address.h"

#include "protocols/wire/text.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace postern::wire {
namespace {

bool parse_v4(std::string_view text, std::uint8_t* out) {
    for (int octet = 0; octet < 4; ++octet) {
        const std::size_t dot = std::min(text.find('.'), text.size());
        const auto value = parse_number(text.substr(0, dot));
        if (!value || *value > 255 || dot > 3) return false;
        out[octet] = static_cast<std::uint8_t>(*value);
        const bool last = octet == 3;
        if (last) return dot == text.size();
        if (dot == text.size()) return false;
        text.remove_prefix(dot + 1);
    }
    return false;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
    if (text.empty() || text.size() > 4) return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        const char lower = to_lower(c);
        if (is_digit(c))
            value = value * 16 + static_cast<unsigned>(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + static_cast<unsigned>(lower - 'a' + 10);
        else
            return std::nullopt;
    }
    return static_cast<std::uint16_t>(value);
}

// Groups between colons; the last may be an IPv4 address where `v4_may_end_it`.
bool parse_groups(std::string_view text, bool v4_may_end_it, std::vector<std::uint8_t>& out) {
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        std::uint8_t v4[4];
        if (colon == std::string_view::npos && v4_may_end_it && parse_v4(text, v4)) {
            out.insert(out.end(), v4, v4 + 4);
            return true;
        }
        const auto group = parse_group(text.substr(0, colon));
        if (!group) return false;
        out.push_back(static_cast<std::uint8_t>(*group >> 8));
        out.push_back(static_cast<std::uint8_t>(*group & 0xff));
        if (colon == std::string_view::npos) return true;
        text.remove_prefix(colon + 1);
        if (text.empty()) return false;
    }
    return true;
}

bool parse_v6(std::string_view text, std::array<std::uint8_t, 16>& out) {
    std::vector<std::uint8_t> head;
    std::vector<std::uint8_t> tail;
    const std::size_t gap = text.find("::");
    if (gap == std::string_view::npos) {
        if (!parse_groups(text, true, head) || head.size() != 16) return false;
    } else {
        if (!parse_groups(text.substr(0, gap), false, head)) return false;
        if (!parse_groups(text.substr(gap + 2), true, tail)) return false;
        if (head.size() + tail.size() > 14) return false;
    }
    out.fill(0);
    std::copy(head.begin(), head.end(), out.begin());
    std::copy_backward(tail.begin(), tail.end(), out.end());
    return true;
}

bool is_mapped_v4(const std::array<std::uint8_t, 16>& bytes) {
    return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) &&
           bytes[10] == 0xff && bytes[11] == 0xff;
}

// The longest run of at least two zero groups, as [begin, end); the first of equals.
std::pair<int, int> longest_zeros(const std::array<unsigned, 8>& groups) {
    std::pair<int, int> best{0, 0};
    for (int begin = 0; begin < 8; ++begin) {
        int end = begin;
        while (end < 8 && groups[static_cast<std::size_t>(end)] == 0) ++end;
        if (end - begin > best.second - best.first) best = {begin, end};
        begin = std::max(begin, end);
    }
    return best.second - best.first >= 2 ? best : std::pair<int, int>{8, 8};
}

std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < 8; ++i) groups[i] = bytes[2 * i] * 256u + bytes[2 * i + 1];
    const auto [begin, end] = longest_zeros(groups);
    std::string out;
    for (int i = 0; i < 8; ++i) {
        if (i == begin) {
            out += "::";
            i = end - 1;
            continue;
        }
        char text[8];
        std::snprintf(text, sizeof text, "%x", groups[static_cast<std::size_t>(i)]);
        if (!out.empty() && out.back() != ':') out += ':';
        out += text;
    }
    return out;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
    IpAddress address;
    if (parse_v4(text, address.bytes.data())) return address;
    if (text.find(':') == std::string_view::npos || !parse_v6(text, address.bytes)) {
        return std::nullopt;
    }
    address.v6 = !is_mapped_v4(address.bytes);
    if (!address.v6) {
        std::array<std::uint8_t, 16> v4{};
        std::copy(address.bytes.begin() + 12, address.bytes.end(), v4.begin());
        address.bytes = v4;
    }
    return address;
}

std::string to_string(const IpAddress& address) {
    if (address.v6) return v6_text(address.bytes);
    std::string out;
    for (std::size_t i = 0; i < 4; ++i) {
        if (i != 0) out += '.';
        out += std::to_string(address.bytes[i]);
    }
    return out;
}

bool IpNetwork::contains(const IpAddress& other) const {
    if (other.v6 != address.v6) return false;
    const unsigned whole = prefix_bits / 8;
    for (unsigned i = 0; i < whole; ++i) {
        if (address.bytes[i] != other.bytes[i]) return false;
    }
    const unsigned rest = prefix_bits % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return ((address.bytes[whole] ^ other.bytes[whole]) & mask) == 0;
}

std::optional<IpNetwork> parse_ip_network(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = parse_ip(text.substr(0, slash));
    if (!address) return std::nullopt;
    IpNetwork network{*address, static_cast<unsigned>(address->size() * 8)};
    if (slash == std::string_view::npos) return network;
    const auto bits = parse_number(text.substr(slash + 1));
    if (!bits || *bits > address->size() * 8) return std::nullopt;
    network.prefix_bits = static_cast<unsigned>(*bits);
    return network;
}

bool is_among(const std::vector<std::string>& networks, std::string_view address) {
    if (networks.empty()) return false;
    const auto binary = parse_ip(address);
    return binary && std::any_of(networks.begin(), networks.end(), [&](const std::string& text) {
               const auto network = parse_ip_network(text);
               return network && network->contains(*binary);
           });
}

std::string network_of(const IpAddress& address, unsigned v4_bits, unsigned v6_bits) {
    IpAddress base = address;
    const unsigned bits = address.v6 ? v6_bits : v4_bits;
    for (std::size_t i = 0; i < base.size(); ++i) {
        const unsigned first = static_cast<unsigned>(i) * 8;
        if (bits >= first + 8) continue;
        const unsigned kept = bits > first ? bits - first : 0;
        base.bytes[i] &= static_cast<std::uint8_t>(0xff00 >> kept);
    }
    return to_string(base) + "/" + std::to_string(bits);
}

}  // namespace postern::wire

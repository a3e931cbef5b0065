#include "protocols/wire/proxy_header.h"

#include "protocols/wire/ip_address.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <array>

namespace postern::wire {
namespace {

constexpr std::string_view v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t v2_fixed_bytes = 16;
constexpr std::size_t min_v1_bytes = 15;  // "PROXY UNKNOWN" CRLF

std::string_view take_word(std::string_view& text) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    return word;
}

// In the notation of its family; a family that is not known has none.
std::optional<IpAddress> take_address(std::string_view& text, std::string_view family) {
    const std::string_view word = take_word(text);
    const bool v6 = word.find(':') != std::string_view::npos;
    if (family != (v6 ? "TCP6" : "TCP4")) return std::nullopt;
    return parse_ip(word);
}

unsigned octet_at(std::string_view bytes, std::size_t pos) {
    return static_cast<unsigned char>(bytes[pos]);
}

IpAddress address_from(std::string_view bytes, bool v6) {
    IpAddress address;
    address.v6 = v6;
    std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(address.size()),
              address.bytes.begin());
    // A mapped address becomes the IPv4 address that it is.
    return *parse_ip(to_string(address));
}

}  // namespace

void ProxyHeader::feed(std::string_view bytes) {
    if (state_ != State::more) return;
    bytes_ += bytes;
    wanted_ -= std::min(wanted_, bytes.size());
    if (wanted_ == 0) look();
}

void ProxyHeader::look() {
    if (bytes_.starts_with("PROXY ")) return look_v1();
    if (bytes_.starts_with(v2_signature.substr(0, 8))) return look_v2();
    fail();
}

void ProxyHeader::look_v1() {
    if (bytes_.size() < min_v1_bytes) {
        wanted_ = min_v1_bytes - bytes_.size();
        return;
    }
    if (!bytes_.ends_with("\r\n")) {
        if (bytes_.size() >= max_proxy_v1_bytes || bytes_.find('\n') != std::string::npos) {
            return fail();
        }
        wanted_ = 1;
        return;
    }
    std::string_view line(bytes_);
    line.remove_suffix(2);
    take_word(line);
    const std::string_view family = take_word(line);
    if (family == "UNKNOWN") {
        state_ = State::done;
        return;
    }
    const auto source = take_address(line, family);
    const auto destination = take_address(line, family);
    const auto source_port = parse_number(take_word(line));
    const auto destination_port = parse_number(line);
    if (!source || !destination || !source_port || !destination_port || *source_port > 65535 ||
        *destination_port > 65535) {
        return fail();
    }
    client_address_ = to_string(*source);
    client_port_ = static_cast<std::uint16_t>(*source_port);
    state_ = State::done;
}

void ProxyHeader::look_v2() {
    if (bytes_.size() < v2_fixed_bytes) {
        wanted_ = v2_fixed_bytes - bytes_.size();
        return;
    }
    const std::size_t length = octet_at(bytes_, 14) * 256 + octet_at(bytes_, 15);
    if (!bytes_.starts_with(v2_signature) || octet_at(bytes_, 12) >> 4 != 2 ||
        length > max_proxy_v2_bytes) {
        return fail();
    }
    if (bytes_.size() < v2_fixed_bytes + length) {
        wanted_ = v2_fixed_bytes + length - bytes_.size();
        return;
    }
    const unsigned command = octet_at(bytes_, 12) & 15;
    const unsigned family = octet_at(bytes_, 13) >> 4;
    if (command > 1) return fail();
    state_ = State::done;
    const bool v6 = family == 2;
    if (command == 0 || (family != 1 && !v6)) return;
    const std::size_t address_bytes = v6 ? 16 : 4;
    if (length < 2 * address_bytes + 4) return fail();
    const std::string_view addresses = std::string_view(bytes_).substr(v2_fixed_bytes);
    client_address_ = to_string(address_from(addresses, v6));
    client_port_ = static_cast<std::uint16_t>(octet_at(addresses, 2 * address_bytes) * 256 +
                                              octet_at(addresses, 2 * address_bytes + 1));
}

}  // namespace postern::wire

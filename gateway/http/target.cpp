#include "gateway/http/http.h"

#include <algorithm>
#include <cctype>

namespace postern::http {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// RFC 3986 section 2.1. `plus`: a plus is a space, as in queries that forms write.
std::optional<std::string> decode(std::string_view text, bool plus) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            decoded += plus && text[at] == '+' ? ' ' : text[at];
            continue;
        }
        if (at + 2 >= text.size()) return std::nullopt;
        const int high = hex_digit(text[at + 1]);
        const int low = hex_digit(text[at + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return decoded;
}

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
    if (!text.starts_with('/')) return std::nullopt;
    const auto mark = text.find('?');
    auto path = decode(text.substr(0, mark), false);
    if (!path) return std::nullopt;
    Target target{std::move(*path), {}};
    if (mark == std::string_view::npos) return target;
    auto rest = text.substr(mark + 1);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto field = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto equals = std::min(field.find('='), field.size());
        auto name = decode(field.substr(0, equals), true);
        // A plus is legal in an address, and clients do not encode it.
        auto value = decode(field.substr(std::min(equals + 1, field.size())), false);
        if (!name || !value) return std::nullopt;
        if (!name->empty()) target.query.emplace_back(std::move(*name), std::move(*value));
    }
    return target;
}

std::string Request::value(std::string_view name) const {
    for (const auto& [key, value] : query) {
        if (same_name(key, name)) return value;
    }
    return {};
}

}  // namespace postern::http

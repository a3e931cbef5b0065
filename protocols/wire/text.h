// Small ASCII and UTF-8 helpers that every line protocol needs. No locale, ever.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::wire {

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr char to_upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}
// Of a hexadecimal digit in either case; -1: it is none.
constexpr int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
constexpr bool is_ascii(char c) {
    return static_cast<std::uint8_t>(c) < 0x80;
}

bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
std::string upper_case(std::string_view text);
std::string lower_case(std::string_view text);

bool is_ascii(std::string_view text);
// True for well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing over U+10FFFF.
bool is_utf8(std::string_view text);

// RFC 3986 section 2.1; a plus stays one. nullopt: a '%' without two digits.
std::optional<std::string> decode_percent(std::string_view text);

// Decimal digits alone. nullopt for anything else, and for what does not fit.
std::optional<std::uint64_t> parse_number(std::string_view digits);

// For log lines: what is not printable ASCII as \xNN, cut with "..." after max_bytes of input.
std::string printable(std::string_view bytes, std::size_t max_bytes = 100);

}  // namespace postern::wire

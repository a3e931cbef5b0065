// ASCII letters and digits, whatever the locale.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::filters {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr char lower(char c) {
    return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_alpha(char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
}
constexpr bool is_alnum(char c) {
    return is_alpha(c) || is_digit(c);
}
constexpr bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');  // \t \n \v \f \r
}

// Whether blanks are all the white space among so many characters, each with a word on its right:
// what most of a text is, told for all of them at once. Reads one character more.
inline constexpr std::size_t plain_run = 16;
inline bool is_plain_run(const char* text) {
    unsigned char odd = 0;
    // Bytes and no branches: compilers make a few instructions on all of them of it.
    for (std::size_t i = 0; i < plain_run; ++i) {
        const auto here = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(text[i + 1]);
        const unsigned char other_space = static_cast<unsigned char>(here - '\t') < 5;
        const unsigned char other_next = static_cast<unsigned char>(next - '\t') < 5;
        const unsigned char blank = here == ' ';
        const unsigned char blank_next = next == ' ';
        odd |= static_cast<unsigned char>(other_space | (blank & (other_next | blank_next)));
    }
    return odd == 0;
}

inline void append_lower(std::string_view text, std::string& out) {
    const std::size_t begin = out.size();
    out.append(text);
    char* added = out.data() + begin;
    for (std::size_t i = 0; i < text.size(); ++i) added[i] = lower(added[i]);
}

inline std::string to_lower(std::string_view text) {
    std::string out;
    append_lower(text, out);
    return out;
}

constexpr bool equals_nocase(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

constexpr bool starts_with_nocase(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && equals_nocase(text.substr(0, prefix.size()), prefix);
}

constexpr std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace postern::filters

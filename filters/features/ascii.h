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
    for (std::size_t i = 0; i < plain_run; ++i) {
        const bool line_end = text[i] >= '\t' && text[i] <= '\r';
        const bool blanks = (text[i] == ' ') & is_space(text[i + 1]);
        odd |= static_cast<unsigned char>(line_end | blanks);
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

#include "gateway/mailsource/mail_source.h"

#include <algorithm>
#include <array>

namespace postern::mailsource {

namespace {

constexpr std::size_t max_from_line_bytes = 1000;

std::string_view take_word(std::string_view& rest) {
    const auto begin = std::min(rest.find_first_not_of(" \t"), rest.size());
    const auto end = std::min(rest.find_first_of(" \t", begin), rest.size());
    const auto word = rest.substr(begin, end - begin);
    rest.remove_prefix(end);
    return word;
}

template <std::size_t n>
bool one_of(std::string_view word, const std::array<std::string_view, n>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_day_name(std::string_view word) {
    return one_of<7>(word, {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"});
}

bool is_month(std::string_view word) {
    return one_of<12>(
        word, {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});
}

bool is_digits(std::string_view word, std::size_t fewest, std::size_t most) {
    return word.size() >= fewest && word.size() <= most &&
           std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// 12:34 or 12:34:56
bool is_clock(std::string_view word) {
    if (word.size() != 5 && word.size() != 8) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (i % 3 == 2 ? word[i] != ':' : word[i] < '0' || word[i] > '9') return false;
    }
    return true;
}

}  // namespace

bool is_from_line(std::string_view line) {
    if (!line.starts_with("From ") || line.size() > max_from_line_bytes) return false;
    auto rest = line.substr(5);
    // The sender may be missing, or hold spaces: the date is looked for after each word.
    while (!rest.empty()) {
        auto date = rest;
        if (is_day_name(take_word(date)) && is_month(take_word(date)) &&
            is_digits(take_word(date), 1, 2) && is_clock(take_word(date))) {
            for (auto word = take_word(date); !word.empty(); word = take_word(date)) {
                if (is_digits(word, 4, 4)) return true;
            }
        }
        take_word(rest);
    }
    return false;
}

}  // namespace postern::mailsource

#include "store/fulltext/runs.h"

#include <algorithm>
#include <utility>

namespace postern::fulltext {

namespace {

struct Point {
    char32_t code = 0;
    std::size_t bytes = 1;
};

// Bytes that are no UTF-8 are characters of their own.
Point point_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80    ? 1
                               : first >= 0xF0 ? 4
                               : first >= 0xE0 ? 3
                               : first >= 0xC0 ? 2
                                               : 1;
    if (length == 1 || at + length > text.size()) return {first, 1};
    char32_t code = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return {first, 1};
        code = code << 6U | (byte(i) & 0x3FU);
    }
    return {code, length};
}

using Span = std::pair<char32_t, char32_t>;

template <std::size_t n>
bool within(const Span (&spans)[n], char32_t code) {
    return std::any_of(std::begin(spans), std::end(spans), [&](const Span& span) {
        return code >= span.first && code <= span.second;
    });
}

// Latin-1 signs, general and CJK punctuation, the sign for what could not be read. The list need
// not be complete: a separator taken for a letter only makes longer runs.
constexpr Span separators[] = {{0x80, 0xBF},     {0xD7, 0xD7},     {0xF7, 0xF7},
                               {0x2000, 0x206F}, {0x2E00, 0x2E7F}, {0x3000, 0x3003},
                               {0x3008, 0x3020}, {0xFE30, 0xFE4F}, {0xFFF9, 0xFFFD}};
// Thai to Tibetan, Burmese, Khmer, Kana, Chinese characters.
constexpr Span unspaced[] = {{0x0E00, 0x0FFF}, {0x1000, 0x109F},   {0x1780, 0x17FF},
                             {0x2E80, 0x2FFF}, {0x3005, 0x3007},   {0x3021, 0x9FFF},
                             {0xF900, 0xFAFF}, {0x20000, 0x3FFFF}};

bool is_digit(char32_t code) {
    return code >= '0' && code <= '9';
}

bool in_run(char32_t code) {
    if (code < 0x80) return is_digit(code) || (code >= 'a' && code <= 'z');
    return !within(separators, code);
}

}  // namespace

Runs runs_of(std::string_view text) {
    Runs out;
    std::size_t begin = 0;
    bool inside = false;
    for (std::size_t at = 0; at < text.size();) {
        const Point point = point_at(text, at);
        const bool member = in_run(point.code);
        if (at == 0) out.begins_open = member;
        if (member && !inside) begin = at;
        if (!member && inside) out.runs.push_back(text.substr(begin, at - begin));
        inside = member;
        at += point.bytes;
    }
    if (inside) out.runs.push_back(text.substr(begin));
    out.ends_open = inside;
    return out;
}

std::vector<std::size_t> point_offsets(std::string_view run) {
    std::vector<std::size_t> offsets;
    offsets.reserve(run.size() + 1);
    for (std::size_t at = 0; at < run.size(); at += point_at(run, at).bytes) offsets.push_back(at);
    offsets.push_back(run.size());
    return offsets;
}

std::size_t points(std::string_view run) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < run.size(); at += point_at(run, at).bytes) ++count;
    return count;
}

bool is_unspaced(std::string_view run) {
    for (std::size_t at = 0; at < run.size();) {
        const Point point = point_at(run, at);
        if (point.code >= 0x80 && within(unspaced, point.code)) return true;
        at += point.bytes;
    }
    return false;
}

bool is_word(std::string_view run) {
    if (run.size() <= max_mixed_word_points &&
        std::all_of(run.begin(), run.end(), [](char c) { return (c & 0x80) == 0; })) {
        return true;
    }
    const std::size_t length = points(run);
    if (length > max_word_points || is_unspaced(run)) return false;
    return length <= max_mixed_word_points ||
           std::none_of(run.begin(), run.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void for_each_gram(std::string_view run, const std::function<bool(std::string_view)>& visit) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < gram_points && end < run.size(); ++i) {
        end += point_at(run, end).bytes;
    }
    for (std::size_t begin = 0; begin < run.size(); begin += point_at(run, begin).bytes) {
        if (!visit(run.substr(begin, end - begin))) return;
        if (end < run.size()) end += point_at(run, end).bytes;
    }
}

std::vector<std::string_view> grams_of(std::string_view run) {
    std::vector<std::string_view> grams;
    for_each_gram(run, [&](std::string_view gram) {
        grams.push_back(gram);
        return true;
    });
    return grams;
}

}  // namespace postern::fulltext

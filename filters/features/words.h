// Words of a text that was folded (see fold_words).
#pragma once

#include "filters/features/ascii.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::filters {

inline constexpr std::size_t max_plain_word_bytes = 32;  // longer ones are counted by their length

// Lower case, compatibility forms and look-alikes of other scripts made one (see confusables.h).
std::string fold_words(std::string_view utf8);
void fold_words(std::string_view utf8, std::string& out);

struct Character {
    char32_t code = 0;
    std::size_t bytes = 1;
};
// Tolerant: a broken byte is a character of its own.
Character character_at(std::string_view utf8, std::size_t at);

enum class CharacterKind : std::uint8_t { word, gap, ideograph };
CharacterKind kind_of(char32_t code);

constexpr bool starts_word(unsigned char c) {
    return c >= 0x80 || is_alnum(static_cast<char>(c)) || c == '$';
}
// Of any word, whatever stands beside it.
constexpr auto plain_letters = [] {
    std::array<bool, 256> table{};
    for (unsigned c = 0; c < 0x80; ++c) table[c] = starts_word(static_cast<unsigned char>(c));
    return table;
}();
constexpr bool is_plain_letter(char c) {
    return plain_letters[static_cast<unsigned char>(c)];
}
constexpr bool joins_words(char c) {
    return c == '\'' || c == '-' || c == '.' || c == '_' || c == '@' || c == ',';
}
// Marks that say something at the end of a word or in a run.
constexpr bool is_emphasis(char c) {
    return c == '!' || c == '%' || c == '$' || c == '?' || c == '*' || c == '=' || c == '-' ||
           c == '>' || c == '#' || c == '_';
}

// Calls visit(word) for each word in order until it answers false. Ideographs come as pairs of
// neighbours, since nothing separates their words; runs of marks come as two of them.
template <class Visit>
void for_each_word(std::string_view text, Visit visit) {
    const char* bytes = text.data();
    std::size_t at = 0;
    std::size_t ideograph_before = std::string_view::npos;
    while (at < text.size()) {
        const char c = bytes[at];
        if (static_cast<unsigned char>(c) < 0x80 && !starts_word(static_cast<unsigned char>(c))) {
            ideograph_before = std::string_view::npos;
            if (is_emphasis(c) && at + 1 < text.size() && bytes[at + 1] == c) {
                if (!visit(text.substr(at, 2))) return;
                while (at < text.size() && bytes[at] == c) ++at;
            } else {
                ++at;
            }
            continue;
        }
        const std::size_t begin = at;
        bool stopped_at_ideograph = false;
        while (at < text.size()) {
            while (at < text.size() && is_plain_letter(bytes[at])) ++at;
            if (at == text.size()) break;
            const auto byte = static_cast<unsigned char>(bytes[at]);
            if (byte >= 0x80) {
                const Character next = character_at(text, at);
                const CharacterKind kind = kind_of(next.code);
                if (kind == CharacterKind::gap) break;
                if (kind == CharacterKind::ideograph) {
                    stopped_at_ideograph = true;
                    break;
                }
                at += next.bytes;
            } else if (joins_words(bytes[at]) && at + 1 < text.size() &&
                       starts_word(static_cast<unsigned char>(bytes[at + 1])) && at > begin) {
                ++at;
            } else {
                break;
            }
        }
        if (at > begin) {
            if (at < text.size() && (bytes[at] == '!' || bytes[at] == '%')) ++at;
            ideograph_before = std::string_view::npos;
            if (!visit(text.substr(begin, at - begin))) return;
        }
        if (stopped_at_ideograph) {
            const Character here = character_at(text, at);
            if (ideograph_before != std::string_view::npos &&
                !visit(text.substr(ideograph_before, at + here.bytes - ideograph_before))) {
                return;
            }
            ideograph_before = at;
            at += here.bytes;
        } else if (at == begin) {
            ideograph_before = std::string_view::npos;
            at += character_at(text, at).bytes;
        }
    }
}

}  // namespace postern::filters

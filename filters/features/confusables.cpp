#include "filters/features/confusables.h"

#include "filters/features/words.h"

#include <algorithm>
#include <array>

namespace postern::filters {

namespace {

struct LookAlike {
    char32_t code;
    char latin;
};

// Lower-case letters: phonetic, Greek, Cyrillic, Armenian.
constexpr std::array look_alikes = std::to_array<LookAlike>({
    {0x0251, 'a'}, {0x0261, 'g'}, {0x0131, 'i'}, {0x026A, 'i'}, {0x03B1, 'a'}, {0x03B3, 'y'},
    {0x03B5, 'e'}, {0x03B7, 'n'}, {0x03B9, 'i'}, {0x03BA, 'k'}, {0x03BD, 'v'}, {0x03BF, 'o'},
    {0x03C1, 'p'}, {0x03C3, 'o'}, {0x03C4, 't'}, {0x03C5, 'u'}, {0x03C7, 'x'}, {0x03C9, 'w'},
    {0x0430, 'a'}, {0x0432, 'b'}, {0x0433, 'r'}, {0x0435, 'e'}, {0x043A, 'k'}, {0x043C, 'm'},
    {0x043D, 'h'}, {0x043E, 'o'}, {0x043F, 'n'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0442, 't'},
    {0x0443, 'y'}, {0x0445, 'x'}, {0x0448, 'w'}, {0x044C, 'b'}, {0x0455, 's'}, {0x0456, 'i'},
    {0x0457, 'i'}, {0x0458, 'j'}, {0x0475, 'v'}, {0x04BB, 'h'}, {0x04CF, 'l'}, {0x0501, 'd'},
    {0x051B, 'q'}, {0x051D, 'w'}, {0x0561, 'w'}, {0x0570, 'h'}, {0x0578, 'n'}, {0x057D, 'u'},
    {0x0585, 'o'},
});

char latin_for(char32_t code) {
    for (const LookAlike& each : look_alikes) {
        if (each.code == code) return each.latin;
    }
    return 0;
}

bool is_other_script(char32_t code) {
    return (code >= 0x0370 && code <= 0x052F) || (code >= 0x0531 && code <= 0x058F);
}

void append_word(std::string_view word, std::string& out) {
    bool latin = false;
    bool other = false;
    for (std::size_t at = 0; at < word.size();) {
        const Character here = character_at(word, at);
        latin = latin || (here.code < 0x80 && is_alpha(static_cast<char>(here.code)));
        other = other || is_other_script(here.code) || latin_for(here.code) != 0;
        at += here.bytes;
    }
    if (!latin || !other) {
        out += word;
        return;
    }
    for (std::size_t at = 0; at < word.size();) {
        const Character here = character_at(word, at);
        const char plain = here.code < 0x80 ? char{0} : latin_for(here.code);
        if (plain != 0) {
            out += plain;
        } else {
            out += word.substr(at, here.bytes);
        }
        at += here.bytes;
    }
}

}  // namespace

std::string fold_confusables(std::string_view folded) {
    std::string out;
    out.reserve(folded.size());
    const auto is_foreign = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
    const auto is_letter = [&](char c) { return is_foreign(c) || is_alnum(c); };
    auto done = folded.begin();
    while (true) {
        const auto foreign = std::find_if(done, folded.end(), is_foreign);
        if (foreign == folded.end()) break;
        auto begin = foreign;  // of the word that it is in
        while (begin != done && is_letter(begin[-1])) --begin;
        const auto end = std::find_if_not(foreign, folded.end(), is_letter);
        out.append(done, begin);
        append_word({begin, end}, out);
        done = end;
    }
    out.append(done, folded.end());
    return out;
}

}  // namespace postern::filters

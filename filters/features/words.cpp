#include "filters/features/words.h"

#include "filters/features/confusables.h"
#include "protocols/mime/charset.h"
#include "protocols/mime/fold_case.h"

namespace postern::filters {

std::string fold_words(std::string_view utf8) {
    std::string out;
    fold_words(utf8, out);
    return out;
}

void fold_words(std::string_view utf8, std::string& out) {
    out.clear();
    if (mime::is_ascii(utf8)) return append_lower(utf8, out);
    out = fold_confusables(mime::fold_case(utf8));
}

Character character_at(std::string_view utf8, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(utf8[at + i]); };
    const auto follows = [&](std::size_t i) {
        return at + i < utf8.size() && (byte(i) & 0xC0) == 0x80;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return {first, 1};
    if (first >= 0xC2 && first < 0xE0 && follows(1)) {
        return {(first & 0x1Fu) << 6 | (byte(1) & 0x3Fu), 2};
    }
    if (first >= 0xE0 && first < 0xF0 && follows(1) && follows(2)) {
        return {(first & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu), 3};
    }
    if (first >= 0xF0 && first < 0xF5 && follows(1) && follows(2) && follows(3)) {
        return {(first & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 |
                    (byte(3) & 0x3Fu),
                4};
    }
    return {0xFFFD, 1};
}

CharacterKind kind_of(char32_t code) {
    const auto within = [code](char32_t first, char32_t last) {
        return code >= first && code <= last;
    };
    // Latin-1 signs, general punctuation, arrows to dingbats, CJK punctuation, emoji, specials.
    if (within(0x80, 0xA9) || within(0xAB, 0xB4) || within(0xB6, 0xB9) || within(0xBB, 0xBF) ||
        within(0x2000, 0x206F) || within(0x2190, 0x23FF) || within(0x2500, 0x27BF) ||
        within(0x3000, 0x3004) || within(0x3008, 0x3020) || within(0xFE00, 0xFE6F) ||
        within(0xFFF0, 0xFFFF)) {
        return CharacterKind::gap;
    }
    // Thai to Khmer, kana, Han, emoji (each says something by itself).
    if (within(0x0E00, 0x0EFF) || within(0x1000, 0x109F) || within(0x1780, 0x17FF) ||
        within(0x3040, 0x30FF) || within(0x3400, 0x9FFF) || within(0xF900, 0xFAFF) ||
        within(0x1F000, 0x1FAFF) || within(0x20000, 0x3FFFF)) {
        return CharacterKind::ideograph;
    }
    return CharacterKind::word;
}

}  // namespace postern::filters

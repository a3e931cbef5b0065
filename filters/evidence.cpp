#include "filters/evidence.h"

#include <algorithm>
#include <cstdint>

namespace postern::filters {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::string_view ellipsis = "...";

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Length of the well-formed UTF-8 character that text begins with; 0: none.
std::size_t character_bytes(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool surrogate = first == 0xED && second >= 0xA0;
    const bool too_large = first == 0xF4 && second >= 0x90;
    return overlong || surrogate || too_large ? 0 : length;
}

bool is_blank(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
}

}  // namespace

std::string quote_evidence(std::string_view text, std::size_t max_bytes) {
    std::string out;
    out.reserve(std::min(text.size(), max_bytes));
    std::size_t cut = 0;  // where out still leaves room for the ellipsis
    while (!text.empty()) {
        std::string_view piece = replacement;
        std::size_t used = 1;
        if (is_blank(text[0])) {
            while (used < text.size() && is_blank(text[used])) ++used;
            piece = out.empty() || used == text.size() ? "" : " ";
        } else if (const std::size_t length = character_bytes(text); length > 0) {
            used = length;
            piece = text.substr(0, length);
        }
        if (out.size() + piece.size() > max_bytes) {
            out.resize(cut);
            if (max_bytes >= ellipsis.size()) out += ellipsis;
            return out;
        }
        out += piece;
        if (out.size() + ellipsis.size() <= max_bytes) cut = out.size();
        text.remove_prefix(used);
    }
    return out;
}

}  // namespace postern::filters

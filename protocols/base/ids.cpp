#include "protocols/base/ids.h"

#include <cstddef>

namespace postern {

std::string to_hex(const Id128& id) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(2 * id.bytes.size());
    for (std::uint8_t byte : id.bytes) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool from_hex(const std::string& text, Id128& id) {
    Id128 parsed;
    if (text.size() != 2 * parsed.bytes.size()) return false;
    for (std::size_t i = 0; i < parsed.bytes.size(); ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        parsed.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    id = parsed;
    return true;
}

}  // namespace postern

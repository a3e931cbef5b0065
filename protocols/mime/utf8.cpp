#include "protocols/mime/charset.h"

#include <cstdint>
#include <cstring>

namespace postern::mime {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

// Bytes of ASCII from at on.
std::size_t ascii_run(std::string_view bytes, std::size_t at) {
    const std::size_t start = at;
    std::uint64_t word = 0;
    while (at + sizeof word <= bytes.size()) {
        std::memcpy(&word, bytes.data() + at, sizeof word);
        if ((word & high_bits) != 0) break;
        at += sizeof word;
    }
    while (at < bytes.size() && (static_cast<unsigned char>(bytes[at]) & 0x80) == 0) ++at;
    return at - start;
}

// Length of the well-formed non-ASCII character at `at` (Unicode table 3-7); 0: none.
std::size_t character_size(std::string_view bytes, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
    const unsigned first = byte(0);
    const std::size_t size = first < 0xC2   ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
    if (size == 0 || bytes.size() - at < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if (!is_continuation(bytes[at + i])) return 0;
    }
    const unsigned second = byte(1);
    if (first == 0xE0 && second < 0xA0) return 0;   // overlong
    if (first == 0xED && second >= 0xA0) return 0;  // surrogate
    if (first == 0xF0 && second < 0x90) return 0;   // overlong
    if (first == 0xF4 && second >= 0x90) return 0;  // over U+10FFFF
    return size;
}

}  // namespace

bool is_ascii(std::string_view bytes) {
    return ascii_run(bytes, 0) == bytes.size();
}

bool is_utf8(std::string_view bytes) {
    std::size_t at = 0;
    while ((at += ascii_run(bytes, at)) < bytes.size()) {
        const std::size_t size = character_size(bytes, at);
        if (size == 0) return false;
        at += size;
    }
    return true;
}

std::string repair_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    std::size_t at = 0;
    while (at < bytes.size()) {
        const std::size_t run = ascii_run(bytes, at);
        const std::size_t size = at + run < bytes.size() ? character_size(bytes, at + run) : 0;
        out.append(bytes, at, run + size);
        at += run + size;
        if (at < bytes.size() && size == 0) {
            append_utf8(out, 0xFFFD);
            ++at;
        }
    }
    return out;
}

std::string_view utf8_prefix(std::string_view utf8, std::size_t max_bytes) {
    if (utf8.size() <= max_bytes) return utf8;
    std::size_t size = max_bytes;
    // Not further back than a character is long: other bytes must not cost the whole text.
    for (int i = 0; i < 3 && size > 0 && is_continuation(utf8[size]); ++i) --size;
    return utf8.substr(0, size);
}

void append_utf8(std::string& out, char32_t code_point) {
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) {
        code_point = 0xFFFD;
    }
    const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | code_point >> 6);
        put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        put(0xE0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xF0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 0x3F));
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

}  // namespace postern::mime

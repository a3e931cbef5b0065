#include "protocols/wire/code_point.h"

#include <cstdint>

namespace postern::wire {

char32_t next_code_point(std::string_view utf8, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(utf8[i]); };
    const std::uint8_t first = byte(at++);
    if (first < 0x80) return first;
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    char32_t c = first & (0x3f >> more);
    for (int i = 0; i < more && at < utf8.size(); ++i) c = c << 6 | (byte(at++) & 0x3f);
    return c;
}

}  // namespace postern::wire

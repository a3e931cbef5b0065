// What the images of models have in common: numbers of 64 bits, the checksum last.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

namespace postern::filters {

inline constexpr std::size_t checksum_bytes = 8;

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie");
inline void put_number(std::string& out, std::uint64_t value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace postern::filters

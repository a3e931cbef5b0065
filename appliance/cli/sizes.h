// Sizes as people write them, and numbers as tables show them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::cli {

// "500M", "2G", "1.5T", "1048576": powers of 1024, any case, an optional B or iB behind. nullopt:
// no size, or over 2^62.
std::optional<std::uint64_t> parse_size(std::string_view text);
// "1.5 GiB"; "none" for 0 where that means no limit is the caller's business.
std::string size_text(std::uint64_t bytes);

std::string padded(std::string text, std::size_t width, bool right);

}  // namespace postern::cli

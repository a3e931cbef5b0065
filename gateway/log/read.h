// Lines of the log, read back: both of the formats that log.h writes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::logging {

inline constexpr std::size_t max_line_fields = 64;  // further ones are left out

struct Line {
    std::vector<std::pair<std::string, std::string>> fields;  // in order, values unescaped

    // "" where there is none.
    std::string_view value(std::string_view key) const;
};

// Whatever stands before "time=" or "{" (as journald's own prefix) is left out. nullopt: not a line
// of ours.
std::optional<Line> parse_line(std::string_view text);

}  // namespace postern::logging

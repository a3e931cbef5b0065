// The rights of RFC 4314 section 2.1 as letters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

// Every right there is, in the order in which they are told.
inline constexpr std::string_view all_rights = "lrswipkxtea";

// Letters of rights in any order, with the obsolete "c" (k and x) and "d" (t and e) resolved
// (section 2.1.1). nullopt: a letter that is no right.
std::optional<std::string> parse_rights(std::string_view letters);
// As told to a client: in order, each once, with "c" and "d" for those who know no others.
std::string rights_text(std::string_view letters);

inline bool has_right(std::string_view rights, char right) {
    return rights.find(right) != std::string_view::npos;
}

}  // namespace postern::imap

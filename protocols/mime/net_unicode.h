// The one form of a name that may be written in several (RFC 5198): macOS takes letters and their
// accents apart, others put them together.
#pragma once

#include <string>
#include <string_view>

namespace postern::mime {

// Normalization form C. Text that is not well-formed UTF-8 comes back as it is. Thread-safe.
std::string compose(std::string_view utf8);
// Whether compose leaves it as it is; cheaper.
bool is_composed(std::string_view utf8);

// Well-formed UTF-8 without control characters (C0, DEL, C1), line or paragraph separators.
bool is_net_unicode_line(std::string_view text);
// The same text with U+FFFD in place of each that is not allowed there.
std::string net_unicode_line(std::string_view text);

}  // namespace postern::mime

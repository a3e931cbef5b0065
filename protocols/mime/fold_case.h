// One form for text that a person would call the same: for searching without regard to case.
#pragma once

#include <string>
#include <string_view>

namespace postern::mime {

// NFKC_Casefold (Unicode section 3.13, UAX #44): case, compatibility forms and the order of accents
// make no difference, invisible characters vanish. Ill-formed UTF-8 becomes U+FFFD. Thread-safe.
std::string fold_case(std::string_view utf8);

}  // namespace postern::mime

// One form for text that a person would call the same: for searching and sorting without regard to
// case.
#pragma once

#include <string>
#include <string_view>

namespace postern::mime {

// NFKC_Casefold (Unicode section 3.13, UAX #44): case, compatibility forms and the order of accents
// make no difference, invisible characters vanish. Ill-formed UTF-8 becomes U+FFFD. Thread-safe.
std::string fold_case(std::string_view utf8);

// i;unicode-casemap (RFC 5051): title case, then taken apart; its bytes are what SORT and THREAD
// compare. Letters stand in it as capitals, before "[" and "_". Ill-formed UTF-8 becomes U+FFFD.
// Thread-safe.
std::string casemap(std::string_view utf8);

}  // namespace postern::mime

// xtext (RFC 3461 section 4): values of ESMTP parameters and of XCLIENT attributes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::wire {

// Everything but printable ASCII, '+' and '=' as "+XX".
std::string xtext_encode(std::string_view bytes);

// nullopt unless text is xtext. Hex digits of either case are taken, as peers do.
std::optional<std::string> xtext_decode(std::string_view text);

}  // namespace postern::wire

// RFC 4013: one form for passwords that look alike, as SCRAM (RFC 5802) and PLAIN (RFC 4616) want.
#pragma once

#include <string>
#include <string_view>

namespace postern::mime {

// Spaces of all kinds become " ", what is not seen goes, and the rest gets normalization form KC.
// Text that is not well-formed UTF-8 or that the profile prohibits comes back as it is.
// Thread-safe.
std::string saslprep(std::string_view utf8);

}  // namespace postern::mime

// Base64 (RFC 4648 section 4) as the SASL profiles use it: strict, on one line.
//
// MIME bodies need a lenient decoder (line breaks, garbage): that one lives in protocols/mime.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::wire {

std::string base64_encode(std::string_view bytes);

// nullopt unless text is the one canonical encoding of some bytes: length a multiple of 4, padding
// only at the end, unused bits zero, nothing outside the alphabet.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace postern::wire

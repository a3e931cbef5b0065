// Internationalised domain names (RFC 5890, UTS 46 without transitional forms).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::mime {

// "bücher.example" to "xn--bcher-kva.example", lower case. nullopt: no valid name.
std::optional<std::string> domain_to_ascii(std::string_view utf8);
// The reverse, for a person to read; as given where it does not decode.
std::string domain_to_utf8(std::string_view ascii);

}  // namespace postern::mime

// Names within SASL messages of GS2 and SCRAM.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::auth {

// "=2C" stands for a comma and "=3D" for an equals sign (RFC 5801 section 4, RFC 5802 section 5.1).
// nullopt: another "=". Whether the rest is UTF-8 is the caller's to check.
std::optional<std::string> decode_saslname(std::string_view text);

}  // namespace postern::auth

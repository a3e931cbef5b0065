// Domain names and addresses in the one form in which the directory keeps them.
#pragma once

#include "protocols/base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::directory {

struct Address {
    std::string local_part;
    std::string domain;
};

// Lower case; nullopt when it is not a host name of ASCII letters, digits and hyphens (RFC 1123).
std::optional<std::string> canonical_domain(std::string_view domain);

// ASCII lower case, split at the last '@'; nullopt when it is not a dot-string (RFC 5321
// section 4.1.2, RFC 6531) at such a domain.
std::optional<Address> canonical_address(std::string_view address);

// "local@domain", or "@domain" for all of a domain, in its one form.
std::optional<std::string> canonical_pattern(std::string_view text);

// invalid, for what is none of them.
Error bad_address(std::string_view text);

}  // namespace postern::directory

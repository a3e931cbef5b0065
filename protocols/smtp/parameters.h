// The parameters behind the path of MAIL (RFC 5321 section 4.1.2, "esmtp-param").
#pragma once

#include "protocols/smtp/engine.h"

#include <string_view>
#include <variant>

namespace postern::smtp {

// text: what follows the path. The Reply is the refusal to send.
// auth_known: AUTH= (RFC 4954 section 5) is taken and ignored, else refused as unknown.
std::variant<MailParameters, Reply> parse_mail_parameters(std::string_view text, bool auth_known);

}  // namespace postern::smtp

// The parameters behind the paths of MAIL and RCPT (RFC 5321 section 4.1.2, "esmtp-param").
#pragma once

#include "protocols/smtp/engine.h"

#include <string_view>
#include <variant>

namespace postern::smtp {

// Which parameters are known; others are refused.
struct MailExtensions {
    bool auth = false;  // AUTH= (RFC 4954 section 5) is taken and ignored
    bool dsn = false;
    bool require_tls = false;
};

// text: what follows the path. The Reply is the refusal to send.
std::variant<MailParameters, Reply> parse_mail_parameters(std::string_view text,
                                                          const MailExtensions& known);
std::variant<RecipientParameters, Reply> parse_recipient_parameters(std::string_view text,
                                                                    bool dsn_known);

}  // namespace postern::smtp

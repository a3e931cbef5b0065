// The TLS-Required header field (RFC 8689 section 5).
#pragma once

#include <string_view>

namespace postern::outbound {

// Whether the message says "TLS-Required: No", once: rather read on its way than lost, so policies
// of the receiving side (DANE, MTA-STS) are not to stand in its way. Of no account where the
// envelope says REQUIRETLS.
bool waives_tls_policies(std::string_view message);

}  // namespace postern::outbound

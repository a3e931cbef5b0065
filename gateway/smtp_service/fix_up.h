// What a submission server may change in a user's message (RFC 6409 section 8).
#pragma once

#include <string>
#include <string_view>

namespace postern::smtp_service {

// Date and Message-ID in front, where there is none or an empty one. session_id makes the
// Message-ID one of a kind together with random bytes. Lines end with CRLF.
void add_missing_fields(std::string& message, std::string_view hostname,
                        std::string_view session_id);

// Bcc and Resent-Bcc go: who is named there is in the envelope, and nobody else's business (RFC
// 5322 section 3.6.3).
void remove_blind_copies(std::string& message);

// The header without the empty line behind it.
std::string header_of(std::string_view message);

}  // namespace postern::smtp_service

// Replies as they go over the wire (RFC 5321 section 4.2, RFC 2034).
#pragma once

#include "protocols/smtp/engine.h"

#include <cstddef>
#include <string>

namespace postern::smtp {

inline constexpr std::size_t max_reply_line_bytes = 512;  // with CRLF, RFC 5321 section 4.5.3.1.5

// One or more lines with CRLF. Line breaks in the text make a multi-line reply; other control
// characters become '?', and a line over the limit is cut. A code outside 200..599 is a bug of the
// caller's and goes out as 451.
void append_reply(const Reply& reply, std::string& out);

inline bool is_positive(const Reply& reply) {
    return reply.code >= 200 && reply.code < 300;
}

}  // namespace postern::smtp

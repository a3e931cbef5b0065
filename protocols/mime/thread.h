// Which thread a message belongs to (RFC 5322 section 3.6.4).
#pragma once

#include "protocols/mime/message.h"

#include <string>
#include <string_view>

namespace postern::mime {

inline constexpr std::size_t max_thread_root_bytes = 998;  // longer: no thread

// The Message-ID, with angle brackets, of the message that the thread began with as far as this one
// tells: the first of References, else the first of In-Reply-To, else its own. Empty: none of them.
std::string thread_root(const Message& message, std::string_view whole);

}  // namespace postern::mime

// Flags as text (RFC 3501 section 2.3.2): "\Seen" and keywords.
#pragma once

#include "protocols/base/flags.h"
#include "protocols/imap/lexer.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

// One flag. A system flag that cannot be kept is taken and changes nothing, as for a flag outside
// PERMANENTFLAGS (RFC 3501 section 7.1): \Recent, and what other servers have invented and clients
// carry here ("\Indexed"). False: not a flag.
bool parse_flag(Lexer& lexer, Flags& flags);
// "(\Seen $Forwarded)", with \Recent when recent.
std::string format_flags(const Flags& flags, bool recent);
void append_flags(std::string& out, const Flags& flags, bool recent);
// The flags that a mailbox has: all system flags, then keywords, then what stands in `more`.
std::string format_flag_names(const std::vector<std::string>& keywords, std::string_view more);

// Puts what Flags says about keywords into effect: sorted, unique without regard to case.
void add_keyword(Flags& flags, std::string_view keyword);

}  // namespace postern::imap

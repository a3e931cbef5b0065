// Dates as RFC 3501 section 9 writes them, always in UTC on the way out.
#pragma once

#include "protocols/base/time.h"
#include "protocols/imap/lexer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

// date: "1-Feb-1994", with or without quotes. Days since 1970-01-01.
std::optional<std::int64_t> parse_date(Lexer& lexer);
// date-time without its quotes: "17-Jul-1996 02:44:25 -0700", the day padded with a space or zero.
std::optional<Time> parse_date_time(std::string_view text);
std::string format_date_time(Time time);  // with quotes

}  // namespace postern::imap

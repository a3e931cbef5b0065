// Pieces of responses (RFC 3501 section 9).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

// A quoted string where that is allowed, else a literal.
std::string format_string(std::string_view text);
// UTF-8 in, modified UTF-7 in quotes out; with utf8 quoted UTF-8 (RFC 9755).
std::string format_mailbox(std::string_view name, bool utf8 = false);
// A string of UTF-8 that is quoted where it fits, else a literal.
std::string format_utf8(std::string_view text);
void append_number(std::string& out, std::uint64_t number);
// "3:5,9" of ascending or any other numbers, runs joined, order kept.
std::string format_sequence(const std::vector<std::uint32_t>& numbers);
// What a peer or the store said, made fit for a resp-text: one line of printable ASCII.
std::string format_text(std::string_view text);

}  // namespace postern::imap

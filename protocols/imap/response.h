// Pieces of responses (RFC 3501 section 9).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

// A quoted string where that is allowed, else a literal.
std::string format_string(std::string_view text);
// UTF-8 in, modified UTF-7 in quotes out.
std::string format_mailbox(std::string_view name);
// "3:5,9" of ascending or any other numbers, runs joined, order kept.
std::string format_sequence(const std::vector<std::uint32_t>& numbers);
// What a peer or the store said, made fit for a resp-text: one line of printable ASCII.
std::string format_text(std::string_view text);

}  // namespace postern::imap

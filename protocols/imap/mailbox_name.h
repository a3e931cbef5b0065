// Mailbox names between the wire and the house: modified UTF-7 (RFC 3501 section 5.1.3), INBOX in
// any case, and LIST patterns.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

inline constexpr char hierarchy_separator = '/';
inline constexpr std::size_t max_pattern_bytes = 1024;

std::string encode_utf7(std::string_view utf8);  // utf8 must be well-formed
// nullopt unless text is the one right encoding of some UTF-8: 7-bit, base64 canonical, no
// printable ASCII in base64, no lone surrogate.
std::optional<std::string> decode_utf7(std::string_view text);

// "inbox" and "Inbox/x" become "INBOX" and "INBOX/x", and letters are put together with their
// accents (RFC 5198): macOS sends them apart.
std::string canonical_name(std::string_view text);
// No empty level, Net-Unicode (RFC 9051 section 5.1), and no wildcard that would make the name hard
// to LIST.
bool is_valid_new_name(std::string_view name);

// RFC 3501 section 6.3.8: '*' is anything, '%' anything but the separator. Cost at most the product
// of both sizes.
bool matches_pattern(std::string_view name, std::string_view pattern);

}  // namespace postern::imap

// Strings as IMAP writes them (RFC 3501 section 4.3): quoted where that is possible, else a
// literal. Internal to protocols/mime. Everything longer than max_envelope_string_bytes is cut.
#pragma once

#include <string>
#include <string_view>

namespace postern::mime {

// bytes hold no line end. NUL, which IMAP cannot carry, is left out.
void append_imap_string(std::string& out, std::string_view bytes);
// A header value: raw 8-bit text becomes encoded words, so that every client can read it.
void append_imap_text(std::string& out, std::string_view raw_value);
// The same, and NIL for an empty one.
void append_imap_text_or_nil(std::string& out, std::string_view raw_value);

}  // namespace postern::mime

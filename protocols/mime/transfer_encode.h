// Content-Transfer-Encoding done (RFC 2045 section 6), and the edits that put it into a message.
#pragma once

#include "protocols/mime/message.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

// Lines of 76 characters, CRLF between them and none at the end.
std::string encode_base64_lines(std::string_view bytes);

// How long they are.
std::size_t base64_lines_bytes(std::size_t bytes);

// Of text with CRLF lines: these stay. A lone CR or LF, white space before a line end, and what old
// servers stumble over at the start of a line ("From ", a single dot) are escaped too.
std::string encode_quoted_printable(std::string_view text);

// A range of a message, and what comes in its place.
struct Edit {
    Range range;
    std::string text;
};

// The ranges must not overlap. At one place insertions come first, in their order.
std::string with_edits(std::string_view whole, std::vector<Edit> edits);

}  // namespace postern::mime

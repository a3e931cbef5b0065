// The text of a message that SEARCH looks at: the one place that says what it is, for the index as
// for reading.
//
// Header: every field of the message's own header, and the plain form of each address in From, To,
// Cc and Bcc that is not written so (as a field of its own). Body: decoded text parts (of HTML the
// source and what a reader sees), multiparts whose boundary never comes, and the headers of inner
// parts, so that attachments are found by their names. All is folded (mime::fold_case).
#pragma once

#include "protocols/mime/message.h"
#include "store/fulltext/text.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::search_index {

// Of one message, this much is read and this much decoded text looked at; what lies behind is not
// searched.
inline constexpr std::uint64_t max_read_bytes = 32 * 1024 * 1024;
inline constexpr std::size_t max_text_bytes = 8 * 1024 * 1024;

// `whole`: at least the header; at most max_read_bytes.
std::vector<fulltext::HeaderField> header_text(const mime::Message& message,
                                               std::string_view whole);
std::vector<std::string> body_text(const mime::Message& message, std::string_view whole);

}  // namespace postern::search_index

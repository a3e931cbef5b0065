// Body sections (RFC 3501 section 6.4.5): where they lie in a message, and header fields picked
// out.
#pragma once

#include "protocols/imap/command.h"
#include "protocols/mime/summary.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

// Whether a message's summary is needed to answer the item.
bool needs_summary(const FetchItem& item);
// HEADER.FIELDS and HEADER.FIELDS.NOT: bytes of find_section are to be read and filtered.
bool picks_fields(const FetchItem& item);
// BINARY and BINARY.SIZE: the section's transfer encoding is to be undone.
bool is_decoded(const FetchItem& item);
mime::Encoding encoding_of(const FetchItem& item, const mime::Summary* summary);
// Never beyond message_bytes. nullopt: the message has no such part. summary may be null when
// needs_summary is false.
std::optional<mime::Range> find_section(const FetchItem& item, const mime::Summary* summary,
                                        std::uint64_t message_bytes);
// The part of a section that <origin.size> asks for.
mime::Range cut_partial(mime::Range range, const std::optional<FetchItem::Partial>& partial);
// The fields of a header that are named (or, with `others`, not named), unchanged and in order, and
// the empty line.
std::string pick_fields(std::string_view header, const std::vector<std::string>& names,
                        bool others);

}  // namespace postern::imap

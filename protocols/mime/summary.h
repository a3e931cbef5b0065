// What is computed of a message once, at delivery, and kept in the mailbox row: ENVELOPE, both
// BODYSTRUCTUREs, part offsets and a preview, so that listing a mailbox never reads a body.
#pragma once

#include "protocols/base/result.h"
#include "protocols/mime/message.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

inline constexpr std::size_t max_preview_characters = 200;  // RFC 8970
inline constexpr std::size_t max_references_bytes = 2048;   // the first id and the last ones stay
inline constexpr std::size_t max_envelope_string_bytes = 4096;  // longer strings are cut

// Where the pieces of one IMAP part number lie.
//
// The message itself (number "") comes first: header and mime_header are its header, text what
// follows it, body the whole message. A message that is not multipart has its body as part "1" too.
struct PartOffsets {
    std::string number;  // "1", "1.2", "2.1.3"; empty for the message itself
    Range header;        // BODY[n.HEADER] of an embedded message; else the same as mime_header
    Range mime_header;   // BODY[n.MIME]: header of the part itself, also for message/rfc822
    Range body;          // BODY[n]; of message/rfc822 the whole embedded message
    Range text;          // BODY[TEXT] or BODY[n.TEXT]; else the same as body
    bool embedded_message = false;  // HEADER and TEXT are allowed on it
    Encoding encoding = Encoding::identity;
};

struct Summary {
    std::string envelope;        // "(...)" ready to send after ENVELOPE (RFC 9051 section 7.5.2)
    std::string body;            // "(...)" after BODY: without extension data
    std::string body_structure;  // "(...)" after BODYSTRUCTURE
    std::vector<PartOffsets> parts;
    std::string preview;     // UTF-8
    std::string message_id;  // with angle brackets; empty: none
    std::string references;  // ids that it answers, oldest first, "<a@b> <c@d>": of References,
                             // else the first of In-Reply-To (RFC 5256 section 3)
    std::string subject;                 // decoded UTF-8
    std::string from;                    // decoded UTF-8, as written
    std::int64_t sent_unix_ms = 0;       // Date field; 0: none or unreadable
    std::int16_t sent_zone_minutes = 0;  // of the Date field, east of UTC (for SENTON)
};

Summary summarize(const Message& message, std::string_view whole);

// Compact binary form, versioned. decode: nullopt when bytes are not a whole summary of
// a known version.
std::string encode_summary(const Summary& summary);
std::optional<Summary> decode_summary(std::string_view bytes);

}  // namespace postern::mime

// The FETCH response of one message (RFC 3501 section 7.4.2) as effects.
#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/engine.h"
#include "protocols/mime/summary.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::imap {

// A stretch of a part with its transfer encoding undone: `length` bytes from `origin` on of what
// the range decodes to.
struct SendDecoded {
    mime::Range range;
    mime::Encoding encoding = mime::Encoding::identity;
    std::uint64_t origin = 0, length = 0;
};
using FetchPiece = std::variant<Send, SendBlob, SendDecoded>;

struct FetchedMessage {
    // What a part decodes to.
    struct Decoded {
        mime::Range range;
        mime::Encoding encoding = mime::Encoding::identity;
        std::uint64_t size = 0;
        bool has_nul = false;
    };
    // The bytes of a header that fields are picked from.
    struct Header {
        mime::Range range;
        std::string bytes;
    };
    std::string head;  // MailboxView::fetch_head
    bool recent = false;
    bool with_flags = false;   // also when they were not asked for
    bool with_modseq = false;  // likewise
    MessageRow row;
    const mime::Summary* summary = nullptr;  // where an item needs it
    std::vector<Header> headers;             // where an item picks fields
    std::vector<Decoded> decoded;            // where an item is decoded
};

// Bodies are named, not copied.
std::vector<FetchPiece> format_fetch(const FetchedMessage& message,
                                     const std::vector<FetchItem>& items);

}  // namespace postern::imap

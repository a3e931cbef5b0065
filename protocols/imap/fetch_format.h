// The FETCH response of one message (RFC 3501 section 7.4.2) as effects.
#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/engine.h"
#include "protocols/mime/summary.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::imap {

struct FetchedMessage {
    // The bytes of a header that fields are picked from.
    struct Header {
        mime::Range range;
        std::string bytes;
    };
    std::uint32_t sequence = 0;
    bool recent = false;
    bool with_uid = false;    // also when it was not asked for
    bool with_flags = false;  // likewise
    MessageRow row;
    const mime::Summary* summary = nullptr;  // where an item needs it
    std::vector<Header> headers;             // where an item picks fields
};

// Send and SendBlob alone. Bodies are named, not copied.
std::vector<Effect> format_fetch(const FetchedMessage& message,
                                 const std::vector<FetchItem>& items);

}  // namespace postern::imap

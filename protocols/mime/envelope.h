// ENVELOPE of a message or an embedded one (RFC 3501 section 7.4.2). Internal to protocols/mime.
#pragma once

#include "protocols/mime/message.h"

#include <string>
#include <string_view>

namespace postern::mime {

// "(date subject from sender reply-to to cc bcc in-reply-to message-id)". Address fields that occur
// more than once are read as one list; of the others the first counts.
std::string write_envelope(const Part& header, std::string_view whole);

inline constexpr std::string_view empty_envelope = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";

}  // namespace postern::mime

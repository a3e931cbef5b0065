// From BINARYMIME (RFC 3030) to what every mailbox and every next server takes.
#pragma once

#include "protocols/base/result.h"

#include <string>

namespace postern::delivery {

// Parts that say "Content-Transfer-Encoding: binary" become base64, containers that say so 8bit.
std::string encode_binary_parts(std::string message);

// The same, and it ends in CRLF. Errors: invalid (there are bare line ends or NULs outside of such
// parts; a client that sends them so would find its message changed).
Result<std::string> encode_binary(std::string message);

}  // namespace postern::delivery

// BODY, BODYSTRUCTURE (RFC 3501 section 7.4.2) and part numbers (section 6.4.5) in one walk.
// Internal to protocols/mime.
#pragma once

#include "protocols/mime/summary.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

// Fills body, body_structure and parts of summary.
void write_structure(const Message& message, std::string_view whole, Summary& summary);

}  // namespace postern::mime

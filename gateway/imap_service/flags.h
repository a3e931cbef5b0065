// Which flags a user may change.
#pragma once

#include "protocols/base/flags.h"

#include <string_view>

namespace postern::imap_service {

// Those of `flags` that the rights allow to set: "s" \Seen, "t" \Deleted, "w" all others.
Flags permitted(Flags flags, std::string_view rights);

}  // namespace postern::imap_service

// The THREAD response (RFC 5256 section 4).
#pragma once

#include "protocols/imap/questions.h"

#include <cstdint>
#include <functional>
#include <string>

namespace postern::imap {

// " (2)(3 6 (4 23)(44 7 96))"; empty when there are no threads. Not recursive: a thread may be as
// deep as the mailbox is large.
std::string format_threads(const Threads& threads,
                           const std::function<std::uint32_t(Uid)>& number_of);

}  // namespace postern::imap

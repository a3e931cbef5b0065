// Random identifiers, for operation ids, blob ids and mailbox ids.
#pragma once

#include "protocols/base/ids.h"

namespace postern::kv {

// 128 bits from a generator per thread that the operating system's entropy seeds. Never empty.
// Unique, but not a secret.
Id128 random_id();

// 63 random bits, never 0.
std::uint64_t random_number();

}  // namespace postern::kv

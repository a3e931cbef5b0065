// Whether this machine can match at all.
#pragma once

#include "protocols/base/result.h"

namespace postern::filters {

// Asked before the first matcher is made. Errors: unsupported (the processor lacks SSSE3), with
// what to do.
Result<void> check_processor();

}  // namespace postern::filters

// Other programs, run to their end: no shell in between, so that no name can become a command.
#pragma once

#include "protocols/base/result.h"

#include <string>
#include <vector>

namespace postern::cli {

// Standard input is empty, output and errors go where ours go. Errors: unavailable (cannot be run,
// or ended with other than 0; the text names it).
Result<void> run_program(const std::vector<std::string>& command);

}  // namespace postern::cli

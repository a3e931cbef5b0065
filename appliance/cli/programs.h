// Other programs, run to their end: no shell in between, so that no name can become a command.
#pragma once

#include "protocols/base/result.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {

// Standard input is empty, output and errors go where ours go. Errors: unavailable (cannot be run,
// or ended with other than 0; the text names it).
Result<void> run_program(const std::vector<std::string>& command);
// The same for programs whose exit code says more than whether it went well: that code.
Result<int> code_of_program(const std::vector<std::string>& command);

// The same, with each line of its standard output, without the end, for `take`. Longer lines than
// max_read_line_bytes are cut.
inline constexpr std::size_t max_read_line_bytes = 64 * 1024;
Result<void> read_program(const std::vector<std::string>& command,
                          const std::function<void(std::string_view)>& take);

}  // namespace postern::cli

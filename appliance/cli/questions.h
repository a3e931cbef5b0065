// Questions that a person answers with a line.
#pragma once

#include "protocols/base/result.h"

#include <string>

namespace postern::cli {

inline constexpr std::size_t max_answer_bytes = 4096;

// Asks on stderr, reads a line from stdin; an empty answer is `preset`. Errors: unavailable (no
// terminal, or its end), invalid (longer than max_answer_bytes).
Result<std::string> ask_line(const std::string& question, const std::string& preset);

}  // namespace postern::cli

// Regex rules from YAML files (docs/rules.md). Names, scores and targets are checked here; whether
// a pattern compiles is said by filters::Pipeline::build.
#pragma once

#include "filters/rule.h"
#include "protocols/base/result.h"

#include <string>
#include <vector>

namespace postern::config {

inline constexpr std::size_t max_rules_file_bytes = 8 * 1024 * 1024;

// Errors: not_found, unavailable, invalid as "FILE:LINE: key: what was expected".
Result<std::vector<filters::Rule>> load_rules_file(const std::string& path);

// Files, or folders with all their *.yaml in the order of their names. No path at all: the rules
// that ship with the program.
Result<std::vector<filters::Rule>> load_rules(const std::vector<std::string>& paths);

}  // namespace postern::config

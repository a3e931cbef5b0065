// Regex rules from YAML files (docs/rules.md). Names, scores and targets are checked here; whether
// a pattern compiles is said by filters::Pipeline::build.
#pragma once

#include "filters/rule.h"
#include "protocols/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::config {

inline constexpr std::size_t max_rules_file_bytes = 8 * 1024 * 1024;

// Errors: not_found, unavailable, invalid as "FILE:LINE: key: what was expected".
Result<std::vector<filters::Rule>> load_rules_file(const std::string& path);

// The same of text; `file` is what errors call it.
Result<std::vector<filters::Rule>> parse_rules(const std::string& yaml, const std::string& file);

// Files, or folders with all their *.yaml in the order of their names. No path at all: the rules
// that ship with the program.
Result<std::vector<filters::Rule>> load_rules(const std::vector<std::string>& paths);

// As such a file has them; load_rules_file reads the same rules again, as long as no text holds
// control characters. `comment` comes first, line
// by line behind "# ".
std::string rules_to_yaml(const std::vector<filters::Rule>& rules, std::string_view comment);

}  // namespace postern::config

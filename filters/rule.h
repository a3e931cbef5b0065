// A regex rule as configuration gives it; see docs/rules.md for the YAML form.
#pragma once

#include <cstddef>
#include <string>

namespace postern::filters {

inline constexpr std::size_t max_rule_name_bytes = 64;
inline constexpr std::size_t max_pattern_bytes = 4096;
inline constexpr std::size_t max_rules = 20000;
inline constexpr double max_symbol_score = 100;  // either sign

struct Rule {
    std::string name;  // A-Z, 0-9 and _, at most max_rule_name_bytes
    std::string group;
    std::string description;
    double score = 0;
    std::string target;   // "header:Subject", "header:*", "body" (decoded text), "raw", "url"
    std::string pattern;  // Hyperscan (PCRE subset)
    bool caseless = false;
    bool negated = false;  // fires when the pattern is not found
};

}  // namespace postern::filters

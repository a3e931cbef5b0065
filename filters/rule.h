// A rule as configuration gives it: a pattern and where to look, or an expression over other
// symbols. See docs/rules.md for the YAML form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::filters {

inline constexpr std::size_t max_rule_name_bytes = 64;
inline constexpr std::size_t max_pattern_bytes = 16 * 1024;
inline constexpr std::size_t max_rules = 20000;
inline constexpr double max_symbol_score = 100;  // either sign
inline constexpr std::uint32_t max_counted_hits = 1000;
// Rules named so are parts of meta rules: they have no score and no report shows them.
inline constexpr std::string_view hidden_prefix = "__";

struct Rule {
    std::string name;  // A-Z, 0-9 and _, at most max_rule_name_bytes
    std::string group;
    std::string description;
    double score = 0;
    std::string target;   // "header:Subject", "body"...: see filters/patterns/matcher.h
    std::string pattern;  // Hyperscan (PCRE subset)
    bool caseless = false;
    bool negated = false;        // fires when the pattern is not found
    std::uint32_t max_hits = 1;  // how many matches may count in a meta rule
    std::string meta = {};       // not empty: this in place of target and pattern

    bool is_meta() const { return !meta.empty(); }
    bool is_hidden() const { return std::string_view(name).starts_with(hidden_prefix); }
};

}  // namespace postern::filters

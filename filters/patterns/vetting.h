// Whether a rule is fit to run on every message: well formed, and cheap whatever the message holds.
#pragma once

#include "filters/patterns/matcher.h"
#include "filters/rule.h"
#include "protocols/base/result.h"

#include <cstddef>
#include <string>

namespace postern::filters {

inline constexpr std::size_t max_repeat = 1000;             // x{0,1000}
inline constexpr std::size_t max_wide_repeat_total = 4000;  // sum over one pattern of such bounds

struct ParsedTarget {
    Target target = Target::body;
    std::string header;  // lower case; for Target::header
};

// Errors: invalid (unknown target, bad header name).
Result<ParsedTarget> parse_target(const std::string& text);

// Name, score and target are well formed, and the pattern has no unbounded repeat of "anything"
// where the text is long (body, raw): ".*", "[^x]+", "\S*", "(ab)+". Such a match could span the
// whole message, and its state would live as long. "\s+", "\d*" or "[a-z]+" are fine.
// Errors: invalid (text says what and how to write it instead).
Result<void> check_rule(const Rule& rule);

}  // namespace postern::filters

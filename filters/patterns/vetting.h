// Whether a rule is fit to run on every message: well formed, and cheap whatever the message holds.
#pragma once

#include "filters/patterns/matcher.h"
#include "filters/rule.h"
#include "protocols/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::filters {

inline constexpr std::size_t max_repeat = 1000;             // x{0,1000}
inline constexpr std::size_t max_wide_repeat_total = 4000;  // sum over one pattern of such bounds

struct ParsedTarget {
    Target target = Target::body;
    std::string name;  // lower case; header, part, envelope
    Form form = Form::value;
};

// Texts long enough that a match may not grow without bound.
constexpr bool is_long(Target target) {
    return target == Target::head || target == Target::body || target == Target::source ||
           target == Target::raw;
}

// Errors: invalid (unknown target, bad header name).
Result<ParsedTarget> parse_target(const std::string& text);

// Name, score and target are well formed, and the pattern has no unbounded repeat of "anything"
// where the text is long (head, body, source, raw): ".*", "[^x]+", "\S*", "(ab)+". Such a match
// could span the whole message, and its state would live as long. "\s+", "\d*" or "[a-z]+" are
// fine. Errors: invalid (text says what and how to write it instead). A meta rule has no target and
// pattern; its expression is for MetaSet to judge.
Result<void> check_rule(const Rule& rule);

// What makes a pattern unfit, as check_rule says it; empty: nothing.
std::string find_unfit_repeat(std::string_view pattern, Target target);

// About how many states the compiler has to make of a pattern: its characters and classes, groups
// as often as they may be repeated (a single class is counted, up to cheap_repeat). At some
// thousands it takes seconds, and megabytes in the end.
std::size_t count_states(std::string_view pattern);
inline constexpr std::size_t max_pattern_states = 3000;
inline constexpr std::size_t cheap_repeat = 20;

// The pattern with a bound on each repeat that check_rule would refuse for want of one.
inline constexpr std::size_t usual_repeat_bound = 200;
inline constexpr std::size_t usual_group_bound = 20;
std::string bound_repeats(std::string_view pattern, Target target);

}  // namespace postern::filters

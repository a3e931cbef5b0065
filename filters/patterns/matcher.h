// Regex rules over a message: all of them at once, in time linear in the text whatever the
// patterns.
//
// A matcher is immutable and may be used from any thread. What a rule's pattern sees:
//   header:NAME  the decoded value of each field of that name, one at a time
//   header:*     each field as "Name: decoded value", one at a time
//   body, raw    the text as one piece; ^ and $ match at its lines
//   url          each address, one at a time
// Patterns work on bytes; texts are UTF-8. Case-insensitive means ASCII.
#pragma once

#include "filters/rule.h"
#include "protocols/base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

enum class Target : std::uint8_t { header, all_headers, body, raw, url };
inline constexpr std::size_t target_count = 5;

// A piece of the message to look at. The caller owns the bytes.
struct Subject {
    Target target = Target::body;
    std::string_view name;  // header: the field's name, any case
    std::string_view text;
};

struct PatternHit {
    std::size_t rule = 0;  // index into the rules that the matcher was made of
    std::string evidence;  // what was matched, at most max_evidence_bytes; empty: negated
};

class Matcher {
public:
    virtual ~Matcher() = default;
    // Each rule at most once, ascending.
    virtual std::vector<PatternHit> match(const std::vector<Subject>& subjects) const = 0;
    // Whether any rule looks there; what nobody looks at need not be made.
    virtual bool looks_at(Target target) const = 0;
    // Whether any rule looks at fields of that lower-case name (not counting header:*).
    virtual bool looks_at_header(std::string_view name) const = 0;
};

// Errors: invalid, naming the rule and the reason (see also check_pattern in vetting.h).
Result<std::unique_ptr<Matcher>> make_matcher(const std::vector<Rule>& rules);

}  // namespace postern::filters

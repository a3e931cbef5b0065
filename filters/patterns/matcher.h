// Regex rules over a message: all of them at once, in time linear in the text whatever the
// patterns.
//
// A matcher is immutable and may be used from any thread. What a rule's pattern sees:
//   header:NAME       the decoded value of each field of that name, one at a time
//   header:NAME:raw   as it came, with its folds and encoded words
//   header:NAME:addr  its first address;  header:NAME:name  the name beside that address
//   header:*          each field as "Name: decoded value", one at a time
//   head              all of them as one text, a field a line
//   part:NAME         the decoded value of each field of that name of a part that is no multipart
//   envelope:WHAT     from, to (one at a time), helo, client: what the session said
//   body              subject and text as a reader sees them, a paragraph a line
//   source            text parts decoded to UTF-8, with their markup
//   raw               the message as it came
//   url               each address, one at a time
// In head, body, source and raw ^ and $ match at lines. Patterns work on bytes; texts are UTF-8.
// Case-insensitive means ASCII.
#pragma once

#include "filters/patterns/compiled_cache.h"
#include "filters/rule.h"
#include "protocols/base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

enum class Target : std::uint8_t {
    header,
    all_headers,
    head,
    part,
    envelope,
    body,
    source,
    raw,
    url
};
inline constexpr std::size_t target_count = 9;

// Whether what it sees has a name.
constexpr bool has_name(Target target) {
    return target == Target::header || target == Target::part || target == Target::envelope;
}

// What of a header field.
enum class Form : std::uint8_t { value, raw, address, name };
inline constexpr std::size_t form_count = 4;

// A piece of the message to look at. The caller owns the bytes.
struct Subject {
    Target target = Target::body;
    std::string_view name;  // header, part, envelope: the field's name, any case
    std::string_view text;
    Form form = Form::value;
};

struct PatternHit {
    std::size_t rule = 0;  // index into the rules that the matcher was made of
    std::string evidence;  // what was matched, at most max_evidence_bytes; empty: negated, hidden
    std::uint32_t count = 1;  // of matches that do not overlap, at most the rule's max_hits
};

// Which forms of a field any rule looks at, by bits.
class Forms {
public:
    constexpr bool has(Form form) const { return (bits_ >> static_cast<unsigned>(form) & 1U) != 0; }
    constexpr bool any() const { return bits_ != 0; }
    constexpr void add(Form form) {
        bits_ = static_cast<std::uint8_t>(bits_ | 1U << static_cast<unsigned>(form));
    }

private:
    std::uint8_t bits_ = 0;
};

inline constexpr std::size_t max_prepared_bytes = 8 * 1024 * 1024;

class Matcher {
public:
    virtual ~Matcher() = default;
    // Each rule at most once, ascending.
    virtual std::vector<PatternHit> match(const std::vector<Subject>& subjects) const = 0;
    // Makes what finds the evidence of rules, which else the first match of each has to wait for:
    // some milliseconds, for a long pattern a second. The shortest patterns first; ends when go_on,
    // which is asked before each, says no, or when max_prepared_bytes are taken. Any thread.
    virtual void prepare(const std::function<bool()>& go_on) const = 0;
    // Whether any rule looks there; what nobody looks at need not be made.
    virtual bool looks_at(Target target) const = 0;
    // header, part, envelope: of the field of that name, any case.
    virtual Forms forms_of(Target target, std::string_view name) const = 0;
};

// Meta rules among them are passed over. cache: nullptr, or where the compiled form may be found
// and is left. Errors: invalid, naming the rule and the reason (see also check_rule in vetting.h).
Result<std::unique_ptr<Matcher>> make_matcher(const std::vector<Rule>& rules,
                                              CompiledCache* cache = nullptr);

}  // namespace postern::filters

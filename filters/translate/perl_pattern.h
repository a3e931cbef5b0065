// A Perl pattern as rule files write it ("/free money/i", "m{^https?://}") in Hyperscan's terms.
#pragma once

#include "filters/patterns/matcher.h"
#include "protocols/base/result.h"

#include <string>
#include <string_view>

namespace postern::filters {

struct PerlPattern {
    std::string body;   // between the delimiters
    std::string flags;  // the letters behind them
};

// Errors: invalid (no delimiters, an unknown flag).
Result<PerlPattern> read_perl_pattern(std::string_view text);

struct TranslatedPattern {
    std::string pattern;
    bool caseless = false;
    std::string changes;  // what it does not say just as it did, ", " between; empty: nothing
};

// For a rule that looks at `target`. Bytes outside ASCII become escapes; repeats without a bound
// get one where the text is long. Errors: unsupported (what of it Hyperscan has not: look-around,
// back references...).
Result<TranslatedPattern> translate_pattern(const PerlPattern& perl, Target target);

}  // namespace postern::filters

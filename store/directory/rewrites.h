// Rules that turn an address into another: of recipients as mail is taken, of senders as users'
// mail goes out. Read as Directory is.
//
//   from                     to
//   ann@old.example          bob@example.org    that address
//   @old.example             @example.org       the same name at another domain
//   *-info@*.old.example     $2-info@example.org
//
// A '*' stands for any text, also none, without '@'; "$1" is what the first one stood for. An exact
// rule goes before one for a domain, and that before patterns, the one with the most letters of its
// own first. What comes out is looked at again, until no rule fits.
//
// Thread rule: any function from any thread. Changing functions wait for durability.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::directory {

inline constexpr std::size_t max_rewrite_rules = 10'000;  // recipients and senders together
inline constexpr std::size_t max_rewrite_patterns = 100;  // rules with '*', of each kind
inline constexpr std::size_t max_rewrite_wildcards = 4;   // in one rule
inline constexpr std::size_t max_rewrite_steps = 10;      // of one address

enum class RewriteOf : std::uint8_t { recipient, sender };

struct RewriteRule {
    RewriteOf of = RewriteOf::recipient;
    std::string from;  // lower case
    std::string to;
};

struct Rewritten {
    std::string address;             // as given, where no rule fits
    std::vector<std::string> steps;  // what it became, one after the other; empty: nothing fits
    // The rules ran in a circle or too far. `address` is the last one before that.
    bool circle = false;
};

class Rewrites {
public:
    explicit Rewrites(kv::Store& store) : store_(store) {}

    // Errors: invalid (from, to), exists, limit, conflict (rules would run in a circle or too far;
    // the text shows how).
    Result<void> add(RewriteOf of, std::string_view from, std::string_view to);
    // Errors: not_found.
    Result<void> remove(RewriteOf of, std::string_view from);
    // Recipients first; in the order in which rules are tried.
    Result<std::vector<RewriteRule>> list();
    // Never fails for what is no address: it stays as it is.
    Result<Rewritten> apply(RewriteOf of, std::string_view address);

private:
    Result<std::vector<RewriteRule>> scan(std::string from, std::string to);
    Result<std::vector<RewriteRule>> patterns(RewriteOf of);
    Result<Rewritten> follow(RewriteOf of, std::string_view address, const RewriteRule* extra);
    Result<std::optional<std::string>> next(RewriteOf of, const std::string& address,
                                            const RewriteRule* extra);
    Result<void> refuse_circle(const RewriteRule& added, const std::vector<RewriteRule>& all);

    kv::Store& store_;
};

// What a pattern makes of an address in lower case; nullopt: it does not fit.
std::optional<std::string> rewrite_by_pattern(std::string_view pattern, std::string_view to,
                                              std::string_view address);

}  // namespace postern::directory

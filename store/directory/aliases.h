// Addresses that stand for others: aliases, catch-alls and alias domains. Read as Directory is.
//
//   source             target
//   sales@example.org  ann@example.org, bob@example.com   one to many, also to other servers
//   ann@example.org    ann@example.org, bob@example.org   her own mailbox, and a copy
//   @example.org       ann@example.org                    catch-all: what has no mailbox and no
//   alias
//   @old.example       @example.org                       alias domain: the same name over there
//
// Thread rule: any function from any thread. Changing functions wait for durability.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::directory {

inline constexpr std::size_t max_alias_targets = 500;  // of one source; lists may be nested
inline constexpr std::size_t max_alias_depth = 20;     // of nesting

struct Alias {
    std::string source;                // "local@domain" or "@domain", lower case
    std::vector<std::string> targets;  // ascending
};

class Aliases {
public:
    explicit Aliases(kv::Store& store) : store_(store) {}

    // Adds to the targets that the source has. Errors: invalid (an address; "@domain" beside other
    // targets), not_found (the source's domain is none of ours), conflict (it would run in a
    // circle; the text shows it), limit.
    Result<void> add(std::string_view source, const std::vector<std::string>& targets);
    // `targets` empty: all. Errors: not_found (source, or a target that it does not have).
    Result<void> remove(std::string_view source, const std::vector<std::string>& targets);
    // Ascending by domain and name; `domain` empty: of all.
    Result<std::vector<Alias>> list(std::string_view domain);
    // nullopt: no such alias.
    Result<std::optional<Alias>> find(std::string_view source);

private:
    Result<void> refuse_circle(const std::string& source, const std::vector<std::string>& targets);

    kv::Store& store_;
};

}  // namespace postern::directory

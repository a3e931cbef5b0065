// Rules as Hyperscan databases, one for each target: a header field is not worth a scan for what is
// looked for in bodies.
#pragma once

#include "filters/patterns/compiled_cache.h"
#include "filters/patterns/hyperscan.h"
#include "filters/patterns/matcher.h"
#include "filters/rule.h"
#include "protocols/base/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

struct Group {
    std::vector<std::uint32_t> rules;  // of a pattern's id: the index of its rule
    std::vector<Pattern> patterns;
    Database database;  // nullptr: no rules
};

using Groups = std::array<Group, target_count>;

// Fills `database` of each group, from the cache when it holds just this. Errors: invalid, naming
// the rule.
Result<void> compile_groups(Groups& groups, const std::vector<Rule>& rules, CompiledCache* cache);

// A checksummed image of the databases. unseal_groups changes nothing and answers false unless the
// image is whole and was made of the same patterns by the same library for this processor.
Result<std::string> seal_groups(const Groups& groups);
bool unseal_groups(std::string_view image, Groups& groups);

}  // namespace postern::filters

// What the database of all rules looks for in place of a rule's own pattern, where that is cheaper.
#pragma once

#include "filters/patterns/matcher.h"

#include <cstddef>
#include <string_view>

namespace postern::filters {

// Letters in a row that a looser pattern must have, so that few texts have a match of it.
inline constexpr std::size_t min_looser_literal = 4;

// Patterns for addresses mostly begin with "^https?://". So does nearly every address, so that each
// of those rules would be tried on each of them. Without it the database goes by what follows.
// Every text with a match of `pattern` has one of the looser pattern, which ends where that does; a
// match of the looser one is still to be checked. `pattern` itself: nothing is gained.
std::string_view looser(std::string_view pattern, Target target);

}  // namespace postern::filters

// Meta rules of foreign files: made to fit what was taken of the rules that they use.
#pragma once

#include "filters/translate/spamassassin.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

// Names in capitals, as our rules have them.
std::string upper_names(std::string_view expression);

// Rewrites the meta rules of a translation so that each uses only `symbols` and rules that are
// there: what is missing counts as not fired. Those that could then never fire, or always would,
// are refused; parts that nothing uses any more are taken out.
void settle_metas(const std::vector<std::string>& symbols, Translation& translation);

}  // namespace postern::filters

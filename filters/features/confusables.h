// Letters of other scripts that look like Latin ones, as senders use them to dodge filters.
#pragma once

#include <string>
#include <string_view>

namespace postern::filters {

// In words that mix Latin with Cyrillic or Greek, look-alikes become the Latin letter; words of one
// script stay as they are, since they are honest. `folded` is case-folded UTF-8.
std::string fold_confusables(std::string_view folded);

}  // namespace postern::filters

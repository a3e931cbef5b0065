// The index of a labelled corpus: lines "spam PATH" or "ham PATH", in the order of arrival; a
// relative path starts at the index file's folder. Empty lines and lines that start with # are
// passed over.
#pragma once

#include "protocols/base/result.h"

#include <string>
#include <vector>

namespace postern::mailsource {

inline constexpr std::size_t max_index_bytes = 1024ull * 1024 * 1024;

struct IndexEntry {
    bool spam = false;
    std::string path;
};

// Errors: not_found, unavailable, invalid ("FILE:LINE: ..."), limit.
Result<std::vector<IndexEntry>> read_index(const std::string& path);

}  // namespace postern::mailsource

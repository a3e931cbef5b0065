// Lines of rule files without what stands around them.
#pragma once

#include <string_view>

namespace postern::filters {

// Without blanks and tabs around it, nor the CR of a line that ends with CR LF.
inline std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace postern::filters

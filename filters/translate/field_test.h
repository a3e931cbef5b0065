// The right-hand side of "header NAME ..." lines: which field, and what of it.
#pragma once

#include "protocols/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

struct FieldTest {
    std::vector<std::string> targets;  // as in Rule::target; several: any of them
    std::string pattern;               // as the file has it
    bool exists = false;               // without a pattern: it is enough to be there
    bool negated = false;
    std::string if_unset;  // what an absent field counts as
};

// `part`: of the parts' fields (mimeheader). Errors: unsupported, invalid.
Result<FieldTest> read_field_test(std::string_view text, bool part);

}  // namespace postern::filters

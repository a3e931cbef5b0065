// One character of UTF-8 after another.
#pragma once

#include <cstddef>
#include <string_view>

namespace postern::wire {

// utf8 must be well-formed; otherwise any value comes out, but `at`, which must be inside, always
// goes on and never past the end.
char32_t next_code_point(std::string_view utf8, std::size_t& at);

}  // namespace postern::wire

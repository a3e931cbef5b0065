// What a line of a header is. Internal to protocols/mime.
#pragma once

#include <cstddef>
#include <string_view>

namespace postern::mime {

// Position of the colon when line is "name:" with optional white space before the colon; npos: it
// is not. No field's name starts like a delimiter, and a boundary may hold a colon.
std::size_t field_colon(std::string_view line, std::size_t& name_size);

// "From joe@example.net Mon Sep  2 12:23:44 2002", also quoted with '>': what mbox files begin
// with.
bool is_from_line(std::string_view line);

}  // namespace postern::mime

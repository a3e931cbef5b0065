// Character references of HTML ("&amp;", "&#8364;"). Internal to protocols/mime.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mime {

// text starts with '&': bytes of the reference there and its code point; 0: it is none.
std::size_t read_entity(std::string_view text, bool in_attribute, char32_t& code_point);

// All references of an attribute's value decoded.
std::string decode_entities(std::string_view value);

}  // namespace postern::mime

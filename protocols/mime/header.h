// Header field values: unfolding and encoded words (RFC 5322 section 2.2.3, RFC 2047).
#pragma once

#include "protocols/mime/message.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

// Line ends out, white space at both ends trimmed; the white space of folds stays.
std::string unfold(std::string_view raw_value);

// UTF-8 of an unfolded value. Encoded words are decoded wherever they stand, white space between
// two of them goes away, a broken one stays as it is. Raw 8-bit bytes: UTF-8 if valid, else
// windows-1252.
std::string decode_words(std::string_view unfolded);

// "=?UTF-8?B?...?=" words for text that is not ASCII; ASCII text is returned as it is.
std::string encode_words(std::string_view utf8);

// Parameters of a structured value such as Content-Type, after its first ';'. Names lower case,
// values unquoted, RFC 2231 pieces as written ("filename*0*"), at most max_parameters.
inline constexpr std::size_t max_parameters = 64;
std::vector<Parameter> raw_parameters(std::string_view value);
// RFC 2231 pieces joined in order, percent-encoding and charset undone, encoded words decoded.
std::vector<Parameter> join_parameters(std::vector<Parameter> raw);

// Value of the first parameter of that lower-case name; nullptr: none.
const std::string* find_parameter(const std::vector<Parameter>& parameters, std::string_view name);

}  // namespace postern::mime

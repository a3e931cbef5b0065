// Header fields with bytes over 127 in ASCII, for who does not take RFC 6532: encoded words in text
// and display names (RFC 2047), RFC 2231 in parameters, A-labels in domains. Nothing is lost.
#pragma once

#include "protocols/mime/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::mime {

// The field with its line end. Only for a field that is not ASCII; `part` is the one that has it.
// nullopt: it has no such form (an address whose local part is not ASCII, a Message-ID, a boundary,
// a list that is too long to be read whole).
std::optional<std::string> ascii_field(const Part& part, const HeaderField& field,
                                       std::string_view whole);

}  // namespace postern::mime

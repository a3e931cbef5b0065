// Header fields with bytes over 127 in ASCII, for who does not take RFC 6532: encoded words in
// text, comments and display names (RFC 2047), RFC 2231 in parameters, A-labels in domains. What
// RFC 6857 says of fields after delivery is done here too where a reader loses nothing that it
// needs: Received drops a "for" clause, In-Reply-To and References become Downgraded-ones, and
// addresses in fields that tell of the way here become text.
#pragma once

#include "protocols/mime/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::mime {

// The field with its line end. Only for a field that is not ASCII; `part` is the one that has it.
// nullopt: it has no such form (an address of a person whose local part is not ASCII, a Message-ID,
// a boundary, a list that is too long to be read whole).
std::optional<std::string> ascii_field(const Part& part, const HeaderField& field,
                                       std::string_view whole);

}  // namespace postern::mime

// A message in ASCII, for servers without 8BITMIME or SMTPUTF8: the gateway transformation that
// RFC 6152 section 3 speaks of.
#pragma once

#include "protocols/base/result.h"

#include <string>
#include <string_view>

namespace postern::mime {

// Whether a header of it, of its parts or of a message inside has bytes over 127: what SMTPUTF8 is
// for (RFC 6531 section 3.2).
bool has_8bit_header(std::string_view whole);

// Every header as ascii_field() writes it, that of each part and message inside too; bodies stay,
// but for those of message/global, which are encoded. What is inside of multipart/signed is left
// alone. Errors: invalid, with what stands in the way: a field without such a form.
Result<std::string> with_ascii_header(std::string_view whole);

// That, and bodies with bytes over 127 as quoted-printable, or as base64 where that is shorter or
// the part is no text. What says nothing of its charset becomes utf-8 if it is, else unknown-8bit
// (RFC 1428). The same bytes when they are ASCII. Errors: invalid, with what stands in the way: a
// field, anything inside of multipart/signed (RFC 1847 forbids to touch it), a type that may not be
// encoded (message/partial, a multipart whose parts cannot be told apart), an encoding unknown.
Result<std::string> to_seven_bit(std::string_view whole);

}  // namespace postern::mime

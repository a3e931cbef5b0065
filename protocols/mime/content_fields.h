// Content-Type, -Disposition and -Transfer-Encoding of one part. Internal to protocols/mime.
#pragma once

#include "protocols/mime/message.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mime {

// Remembers where the fields are while a header is read; the first of each name counts.
struct ContentFields {
    void note(std::string_view name, std::size_t field_index);
    // Fills type, parameters, disposition and encoding of part, and boundary.
    void apply_to(Part& part, std::string_view whole);

    int type = -1;  // indexes into Part::fields; -1: absent
    int disposition = -1;
    int encoding = -1;
    std::string boundary;  // bytes as written; empty: none
};

// "type/subtype" at the start of value, lower case; false: not of that form, outputs unchanged.
bool read_content_type(std::string_view value, std::string& type, std::string& subtype);

}  // namespace postern::mime

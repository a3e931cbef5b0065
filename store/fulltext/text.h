// One message's text, as SEARCH compares it, and where a text is looked for. Plain values.
#pragma once

#include "protocols/base/uid_set.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::fulltext {

struct HeaderField {
    std::string name;   // lower case
    std::string value;  // decoded and folded (mime::fold_case)
};

struct Text {
    std::vector<HeaderField> header;
    std::vector<std::string> body;  // decoded and folded, each searched for itself
};

// `header`: any field, its name included ("name: value").
enum class Field : std::uint8_t { body, header, subject, from, to, cc, bcc };

// UIDs, disjoint: those that surely hold the text, and those that have to be read to know.
struct Match {
    UidSet sure;
    UidSet possible;
};

}  // namespace postern::fulltext

// The base subject of RFC 5256 section 2.1: what is left of a subject without "Re:", "Fwd:" and
// mailing lists' marks.
#pragma once

#include <string>
#include <string_view>

namespace postern::mime {

struct BaseSubject {
    std::string text;       // UTF-8, spaces joined, case kept
    bool is_reply = false;  // something like "Re:" or "(fwd)" was taken away
};

// subject: decoded UTF-8, unfolded. Cost linear in its length.
BaseSubject base_subject(std::string_view subject);

}  // namespace postern::mime

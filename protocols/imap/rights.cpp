#include "protocols/imap/rights.h"

namespace postern::imap {

std::optional<std::string> parse_rights(std::string_view letters) {
    std::string named;
    for (const char letter : letters) {
        if (letter == 'c') {
            named += "kx";
        } else if (letter == 'd') {
            named += "te";
        } else if (has_right(all_rights, letter)) {
            named += letter;
        } else {
            return std::nullopt;
        }
    }
    std::string out;
    for (const char right : all_rights) {
        if (has_right(named, right)) out += right;
    }
    return out;
}

std::string rights_text(std::string_view letters) {
    std::string out;
    for (const char right : all_rights) {
        if (right == 'a') {
            if (has_right(letters, 'k') || has_right(letters, 'x')) out += 'c';
            if (has_right(letters, 't') || has_right(letters, 'e')) out += 'd';
        }
        if (has_right(letters, right)) out += right;
    }
    return out;
}

}  // namespace postern::imap

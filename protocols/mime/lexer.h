// Small pieces that the header parsers share (RFC 5322 section 3.2). Internal to protocols/mime.
#pragma once

#include "protocols/wire/text.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mime {

// White space and the line ends of folds.
inline bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
using wire::equals_ignoring_case;
using wire::hex_value;
using wire::is_alpha;
using wire::is_digit;
using wire::lower_case;

// A set of bytes that is asked for one after the other.
class ByteSet {
public:
    constexpr explicit ByteSet(std::string_view bytes) {
        for (const char c : bytes) member_[static_cast<unsigned char>(c)] = true;
    }
    constexpr bool has(char c) const { return member_[static_cast<unsigned char>(c)]; }

private:
    std::array<bool, 256> member_{};
};

std::string_view trim(std::string_view text);  // is_space at both ends

// text[at] is '(': the position after the matching ')', or the end. Nested, escaped, in one pass.
std::size_t skip_comment(std::string_view text, std::size_t at);
// Past white space and comments.
std::size_t skip_cfws(std::string_view text, std::size_t at);
// text[at] is '"': appends the unquoted content, without line ends; the position after the closing
// quote, or the end. Only \" and \\ are unescaped: file names carry lone backslashes.
std::size_t read_quoted(std::string_view text, std::size_t at, std::string& out);

}  // namespace postern::mime

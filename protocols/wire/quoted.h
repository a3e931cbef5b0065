// The quoted-string that SMTP, IMAP and message headers share (RFC 5321 section 4.1.2, RFC 9051
// section 4.3, RFC 5322 section 3.2.4).
#pragma once

#include <string>
#include <string_view>

namespace postern::wire {

// `text` holds no line ends and no NUL; that is for the caller to see to.
inline std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

}  // namespace postern::wire

// Content-Transfer-Encoding undone (RFC 2045 section 6), tolerantly and in pieces of any size.
#pragma once

#include "protocols/mime/message.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mime {

// base64: characters outside of the alphabet are skipped, decoding goes on after padding, a missing
// end is taken as it is. quoted-printable: a broken "=xy" stays as it is, white space before a line
// end goes away. identity and unknown: bytes pass.
class ContentDecoder {
public:
    explicit ContentDecoder(Encoding encoding) : encoding_(encoding) {}

    // Appends what in decodes to, until out holds max_out_bytes; the rest of in is then dropped and
    // false returned: feeding more is pointless.
    bool feed(std::string_view in, std::string& out, std::size_t max_out_bytes);
    // The input is over: writes what was held back. Same result as feed.
    bool finish(std::string& out, std::size_t max_out_bytes);

private:
    bool feed_base64(std::string_view in, std::string& out, std::size_t max_out_bytes);
    bool feed_quoted_printable(std::string_view in, std::string& out, std::size_t max_out_bytes);
    bool take_held(char c, std::string& out);

    Encoding encoding_;
    std::uint32_t bits_ = 0;   // base64: sextets so far, most significant first
    unsigned bits_count_ = 0;  // how many sextets
    std::string held_;         // quoted-printable: an unfinished "=x", or white space
};

std::string decode_content(std::string_view bytes, Encoding encoding, std::size_t max_out_bytes);

// UTF-8 of a text part: transfer encoding and charset undone, at most max_bytes, no character cut.
// text/html without charset: that of its <meta>. Line ends as in the message.
std::string decoded_text(const Part& part, std::string_view whole, std::size_t max_bytes);

}  // namespace postern::mime

#include "protocols/mime/imap_text.h"

#include "protocols/mime/charset.h"
#include "protocols/mime/header.h"
#include "protocols/mime/lexer.h"
#include "protocols/mime/summary.h"

#include <algorithm>

namespace postern::mime {
namespace {

constexpr ByteSet quoted_specials("\"\\");

bool fits_quoted(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 128 && byte != '\r' && byte != '\n' && byte != 0;
}

}  // namespace

void append_imap_string(std::string& out, std::string_view bytes) {
    bytes = utf8_prefix(bytes, max_envelope_string_bytes);
    if (bytes.find('\0') != std::string_view::npos) {
        std::string without_nul(bytes);
        std::erase(without_nul, '\0');
        return append_imap_string(out, without_nul);
    }
    if (!std::all_of(bytes.begin(), bytes.end(), fits_quoted)) {
        out += '{' + std::to_string(bytes.size()) + "}\r\n";
        out += bytes;
        return;
    }
    out += '"';
    std::size_t begin = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (!quoted_specials.has(bytes[i])) continue;
        out.append(bytes, begin, i - begin);
        out += '\\';
        begin = i;
    }
    out.append(bytes, begin);
    out += '"';
}

void append_imap_text(std::string& out, std::string_view raw_value) {
    if (is_ascii(raw_value)) return append_imap_string(out, raw_value);
    const std::string utf8 = to_utf8(raw_value, "");
    // Words are a third longer than their text; cutting the text keeps every word whole.
    append_imap_string(out, encode_words(utf8_prefix(utf8, max_envelope_string_bytes / 2)));
}

void append_imap_text_or_nil(std::string& out, std::string_view raw_value) {
    if (raw_value.empty()) {
        out += "NIL";
    } else {
        append_imap_text(out, raw_value);
    }
}

}  // namespace postern::mime

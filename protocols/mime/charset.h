// Text in any charset to UTF-8; the one door to ICU. Never fails: what cannot be read becomes
// U+FFFD.
//
// Converters are cached per thread, so every function may be called from any thread.
#pragma once

#include <string>
#include <string_view>

namespace postern::mime {

// Label as mail writes it ("ISO-8859-1", "ks_c_5601-1987", "cp936"), any case. Empty or unknown:
// UTF-8 when the bytes are valid UTF-8, else windows-1252, as for us-ascii with its eighth bit set.
std::string to_utf8(std::string_view bytes, std::string_view charset_label);

// Whether to_utf8 goes by that label, and does not guess. us-ascii and utf-8 are known.
bool is_known_charset(std::string_view charset_label);

bool is_ascii(std::string_view bytes);
bool is_utf8(std::string_view bytes);
// Valid UTF-8: each byte that is not part of a character becomes U+FFFD.
std::string repair_utf8(std::string_view bytes);

// Longest prefix of at most max_bytes that does not cut a UTF-8 character.
std::string_view utf8_prefix(std::string_view utf8, std::size_t max_bytes);

// Whether it is a second or later byte of a character.
inline bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}
void append_utf8(std::string& out, char32_t code_point);  // surrogates and > 10FFFF: U+FFFD

}  // namespace postern::mime

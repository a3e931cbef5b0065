#include "protocols/mime/net_unicode.h"

#include "protocols/mime/charset.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

namespace postern::mime {

namespace {

constexpr char32_t replacement_character = 0xFFFD;

// Octets of the control character or separator that begins there; 0: none does.
std::size_t forbidden_at(std::string_view utf8, std::size_t i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x20 || byte == 0x7f) return 1;
    const std::string_view rest = utf8.substr(i);
    if (byte == 0xc2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xa0) return 2;
    return rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9") ? 3 : 0;
}

// nullptr: ICU has none.
const icu::Normalizer2* composing() {
    UErrorCode status = U_ZERO_ERROR;
    const auto* normalizer = icu::Normalizer2::getNFCInstance(status);
    return U_SUCCESS(status) ? normalizer : nullptr;
}

icu::StringPiece piece(std::string_view utf8) {
    return {utf8.data(), static_cast<std::int32_t>(utf8.size())};
}

}  // namespace

bool is_composed(std::string_view utf8) {
    if (is_ascii(utf8) || !is_utf8(utf8)) return true;
    UErrorCode status = U_ZERO_ERROR;
    const auto* normalizer = composing();
    return normalizer == nullptr || normalizer->isNormalizedUTF8(piece(utf8), status) ||
           U_FAILURE(status);
}

std::string compose(std::string_view utf8) {
    if (is_composed(utf8)) return std::string(utf8);
    UErrorCode status = U_ZERO_ERROR;
    std::string out;
    out.reserve(utf8.size());
    icu::StringByteSink<std::string> sink(&out);
    composing()->normalizeUTF8(0, piece(utf8), sink, nullptr, status);
    return U_FAILURE(status) ? std::string(utf8) : out;
}

bool is_net_unicode_line(std::string_view text) {
    if (!is_utf8(text)) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (forbidden_at(text, i) != 0) return false;
    }
    return true;
}

std::string net_unicode_line(std::string_view text) {
    const std::string utf8 = repair_utf8(text);
    std::string out;
    for (std::size_t i = 0; i < utf8.size();) {
        const std::size_t length = forbidden_at(utf8, i);
        if (length == 0) {
            out += utf8[i++];
        } else {
            append_utf8(out, replacement_character);
            i += length;
        }
    }
    return out;
}

}  // namespace postern::mime

#include "protocols/mime/fold_case.h"

#include "protocols/mime/charset.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace postern::mime {

namespace {

std::string lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    return out;
}

std::string upper_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
    return out;
}

}  // namespace

std::string fold_case(std::string_view utf8) {
    if (is_ascii(utf8)) return lower_ascii(utf8);
    UErrorCode status = U_ZERO_ERROR;
    const auto* folding = icu::Normalizer2::getNFKCCasefoldInstance(status);
    if (U_FAILURE(status)) return lower_ascii(utf8);
    std::string out;
    out.reserve(utf8.size());
    icu::StringByteSink<std::string> sink(&out);
    folding->normalizeUTF8(0, icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())),
                           sink, nullptr, status);
    return U_FAILURE(status) ? lower_ascii(utf8) : out;
}

std::string casemap(std::string_view utf8) {
    if (is_ascii(utf8)) return upper_ascii(utf8);
    UErrorCode status = U_ZERO_ERROR;
    const auto* apart = icu::Normalizer2::getNFKDInstance(status);
    if (U_FAILURE(status)) return upper_ascii(utf8);
    const auto text = icu::UnicodeString::fromUTF8(
        icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())));
    icu::UnicodeString title;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        title.append(u_totitle(text.char32At(i)));
    }
    std::string out;
    apart->normalize(title, status).toUTF8String(out);
    return U_FAILURE(status) ? upper_ascii(utf8) : out;
}

}  // namespace postern::mime

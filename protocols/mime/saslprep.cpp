#include "protocols/mime/saslprep.h"

#include "protocols/wire/text.h"

#include <unicode/unistr.h>
#include <unicode/usprep.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace postern::mime {

namespace {

const UStringPrepProfile* saslprep_profile() {
    static const std::unique_ptr<UStringPrepProfile, void (*)(UStringPrepProfile*)> opened = [] {
        UErrorCode status = U_ZERO_ERROR;
        auto* profile = usprep_openByType(USPREP_RFC4013_SASLPREP, &status);
        return std::unique_ptr<UStringPrepProfile, void (*)(UStringPrepProfile*)>(profile,
                                                                                 usprep_close);
    }();
    return opened.get();
}

}  // namespace

std::string saslprep(std::string_view utf8) {
    const bool ascii = std::all_of(utf8.begin(), utf8.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    const auto* profile = ascii || !wire::is_utf8(utf8) ? nullptr : saslprep_profile();
    if (profile == nullptr) return std::string(utf8);
    const auto text = icu::UnicodeString::fromUTF8(
        icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())));
    // Form KC makes of one unit at most 18.
    constexpr std::int32_t longest_of_one = 18;
    std::vector<char16_t> prepared(static_cast<std::size_t>(text.length() * longest_of_one));
    UErrorCode status = U_ZERO_ERROR;
    const auto length =
        usprep_prepare(profile, text.getBuffer(), text.length(), prepared.data(),
                       static_cast<std::int32_t>(prepared.size()), USPREP_ALLOW_UNASSIGNED,
                       nullptr, &status);
    if (U_FAILURE(status)) return std::string(utf8);
    std::string out;
    icu::UnicodeString(prepared.data(), length).toUTF8String(out);
    return out;
}

}  // namespace postern::mime

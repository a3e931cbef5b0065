#include "protocols/mime/idna.h"

#include <unicode/uidna.h>

#include <memory>

namespace postern::mime {
namespace {

constexpr std::size_t max_domain_bytes = 1024;  // in UTF-8; an A-label form is at most 255

struct CloseIdna {
    void operator()(UIDNA* idna) const { uidna_close(idna); }
};
using Idna = std::unique_ptr<UIDNA, CloseIdna>;

Idna open_idna() {
    UErrorCode status = U_ZERO_ERROR;
    Idna idna(uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE |
                                  UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ,
                              &status));
    return U_SUCCESS(status) ? std::move(idna) : nullptr;
}

// Immutable, and safe for any thread (ICU's contract).
const UIDNA* idna() {
    static const Idna opened = open_idna();
    return opened.get();
}

using Convert = int32_t (*)(const UIDNA*, const char*, int32_t, char*, int32_t, UIDNAInfo*,
                            UErrorCode*);

std::optional<std::string> convert(std::string_view domain, Convert function) {
    if (domain.empty() || domain.size() > max_domain_bytes || idna() == nullptr) {
        return std::nullopt;
    }
    std::string out(domain.size() * 8 + 64, '\0');
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    UErrorCode status = U_ZERO_ERROR;
    const int32_t size = function(idna(), domain.data(), static_cast<int32_t>(domain.size()),
                                  out.data(), static_cast<int32_t>(out.size()), &info, &status);
    if (U_FAILURE(status) || info.errors != 0 || size <= 0) return std::nullopt;
    out.resize(static_cast<std::size_t>(size));
    return out;
}

}  // namespace

std::optional<std::string> domain_to_ascii(std::string_view utf8) {
    return convert(utf8, uidna_nameToASCII_UTF8);
}

std::string domain_to_utf8(std::string_view ascii) {
    return convert(ascii, uidna_nameToUnicodeUTF8).value_or(std::string(ascii));
}

}  // namespace postern::mime

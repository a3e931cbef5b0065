#include "protocols/mime/charset.h"

#include "protocols/mime/lexer.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace postern::mime {
namespace {

constexpr std::size_t max_label_bytes = 64;
constexpr std::size_t max_cached_converters = 16;  // per thread

struct CloseConverter {
    void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

struct CachedConverter {
    std::string label;
    Converter converter;       // null: ICU does not know the label
    bool ascii_stays = false;  // printable ASCII means itself
};

// What mail means by a label where that is not what its standard or ICU says: the supersets that
// writers use in truth.
struct Alias {
    std::string_view label, name;
};
constexpr std::array aliases = std::to_array<Alias>({
    {"big5", "windows-950"},
    {"cn-big5", "windows-950"},
    {"cn-gb", "gb18030"},
    {"cp932", "windows-31j"},
    {"cp936", "gb18030"},
    {"cp949", "windows-949"},
    {"euc-cn", "gb18030"},
    {"euc-kr", "windows-949"},
    {"gb2312", "gb18030"},
    {"gb_2312-80", "gb18030"},
    {"gbk", "gb18030"},
    {"iso-8859-11", "windows-874"},
    {"iso-8859-8-i", "iso-8859-8"},
    {"iso-8859-9", "windows-1254"},
    {"koi8r", "koi8-r"},
    {"ks_c_5601-1987", "windows-949"},
    {"ksc5601", "windows-949"},
    {"ms936", "gb18030"},
    {"shift-jis", "windows-31j"},
    {"shift_jis", "windows-31j"},
    {"sjis", "windows-31j"},
    {"tis-620", "windows-874"},
    {"unicode-1-1-utf-7", "utf-7"},
    {"x-euc-jp", "euc-jp"},
    {"x-gbk", "gb18030"},
    {"x-mac-roman", "macintosh"},
    {"x-sjis", "windows-31j"},
});

enum class KnownCharset { ascii, utf8, windows_1252, other };

KnownCharset classify(std::string_view label) {
    static constexpr std::string_view ascii[] = {
        "",          "us-ascii",      "ascii",   "ansi_x3.4-1968", "iso-ir-6", "unknown-8bit",
        "x-unknown", "unknown",       "default", "8bit",           "7bit",     "binary",
        "none",      "x-user-defined"};
    static constexpr std::string_view utf8[] = {"utf-8", "utf8", "unicode-1-1-utf-8", "utf-8mb4"};
    static constexpr std::string_view western[] = {"iso-8859-1", "windows-1252", "latin1",
                                                   "iso8859-1",  "iso_8859-1",   "cp1252",
                                                   "l1",         "cp-1252",      "x-ansi"};
    const auto in = [&](const auto& list) {
        return std::find(std::begin(list), std::end(list), label) != std::end(list);
    };
    if (in(ascii)) return KnownCharset::ascii;
    if (in(utf8)) return KnownCharset::utf8;
    return in(western) ? KnownCharset::windows_1252 : KnownCharset::other;
}

// ICU reads a comma in a name as options, so that only what occurs in real labels may pass.
std::string normalize(std::string_view label) {
    label = trim(label);
    if (label.size() > max_label_bytes) return "unknown";
    std::string out;
    for (const char c : label) {
        if (c == '"' || c == '\'') continue;
        const bool allowed =
            is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == ':' || c == '+';
        if (!allowed) return "unknown";
        out += wire::to_lower(c);
    }
    for (const Alias& alias : aliases) {
        if (alias.label == out) return std::string(alias.name);
    }
    return out;
}

std::string from_windows_1252(std::string_view bytes) {
    static constexpr std::array<char16_t, 32> table = {
        0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 8);
    const auto is_foreign = [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; };
    for (auto at = bytes.begin();;) {
        const auto foreign = std::find_if(at, bytes.end(), is_foreign);
        out.append(at, foreign);
        if (foreign == bytes.end()) return out;
        const auto byte = static_cast<unsigned char>(*foreign);
        append_utf8(out, byte < 0xA0 ? table[byte - 0x80u] : byte);
        at = foreign + 1;
    }
}

std::string guess(std::string_view bytes) {
    return is_utf8(bytes) ? std::string(bytes) : from_windows_1252(bytes);
}

std::string convert(UConverter* from, std::string_view bytes) {
    thread_local const Converter utf8 = [] {
        UErrorCode status = U_ZERO_ERROR;
        return Converter(ucnv_open("UTF-8", &status));
    }();
    std::string out;
    std::array<char, 4096> piece;
    std::array<UChar, 1024> pivot;
    UChar* pivot_source = pivot.data();
    UChar* pivot_target = pivot.data();
    const char* source = bytes.data();
    UErrorCode status = U_BUFFER_OVERFLOW_ERROR;
    for (bool first = true; status == U_BUFFER_OVERFLOW_ERROR; first = false) {
        status = U_ZERO_ERROR;
        char* target = piece.data();
        ucnv_convertEx(utf8.get(), from, &target, piece.data() + piece.size(), &source,
                       bytes.data() + bytes.size(), pivot.data(), &pivot_source, &pivot_target,
                       pivot.data() + pivot.size(), first ? 1 : 0, 1, &status);
        out.append(piece.data(), static_cast<std::size_t>(target - piece.data()));
    }
    if (U_FAILURE(status)) append_utf8(out, 0xFFFD);  // the text ends within a character
    return out;
}

// ICU's own substitution writes U+001A for some charsets.
void write_replacement(const void*, UConverterToUnicodeArgs* arguments, const char*, std::int32_t,
                       UConverterCallbackReason reason, UErrorCode* status) {
    if (reason > UCNV_IRREGULAR) return;
    *status = U_ZERO_ERROR;
    const UChar replacement = 0xFFFD;
    ucnv_cbToUWriteUChars(arguments, &replacement, 1, 0, status);
}

Converter open_converter(const std::string& label) {
    UErrorCode status = U_ZERO_ERROR;
    Converter converter(ucnv_open(label.c_str(), &status));
    if (U_FAILURE(status)) return nullptr;
    ucnv_setToUCallBack(converter.get(), write_replacement, nullptr, nullptr, nullptr, &status);
    return converter;
}

bool keeps_ascii(UConverter* converter) {
    std::string ascii;
    for (char c = ' '; c < 127; ++c) ascii += c;
    return convert(converter, ascii) == ascii;
}

CachedConverter& converter_for(const std::string& label) {
    thread_local std::vector<CachedConverter> cache;
    const auto found = std::find_if(cache.begin(), cache.end(),
                                    [&](const CachedConverter& c) { return c.label == label; });
    if (found != cache.end()) return *found;
    if (cache.size() >= max_cached_converters) cache.erase(cache.begin());
    CachedConverter made{label, open_converter(label)};
    if (made.converter) made.ascii_stays = keeps_ascii(made.converter.get());
    return cache.emplace_back(std::move(made));
}

// A byte order mark decides. Without one "utf-16" is little-endian, against its standard but as
// written by those who leave out the mark.
std::string from_utf16(std::string_view bytes, const std::string& label) {
    bool big_endian = label == "utf-16be";
    const bool marked_big = bytes.starts_with("\xFE\xFF");
    const bool marked_little = bytes.starts_with("\xFF\xFE");
    if (marked_big || marked_little) {
        big_endian = marked_big;
        bytes.remove_prefix(2);
    }
    return convert(converter_for(big_endian ? "utf-16be" : "utf-16le").converter.get(), bytes);
}

// Of the stateful charsets whose printable ASCII is itself (ISO-2022), all switch by ESC, SO or SI.
bool has_shifts(std::string_view bytes) {
    return std::any_of(bytes.begin(), bytes.end(),
                       [](char c) { return c == 0x1B || c == 0x0E || c == 0x0F; });
}

}  // namespace

std::string to_utf8(std::string_view bytes, std::string_view charset_label) {
    const std::string label = normalize(charset_label);
    const KnownCharset known = classify(label);
    if (known != KnownCharset::other && is_ascii(bytes)) return std::string(bytes);
    if (known == KnownCharset::ascii) return guess(bytes);
    if (known == KnownCharset::utf8)
        return is_utf8(bytes) ? std::string(bytes) : repair_utf8(bytes);
    if (known == KnownCharset::windows_1252) return from_windows_1252(bytes);
    if (label.starts_with("utf-16")) return from_utf16(bytes, label);
    const CachedConverter& cached = converter_for(label);
    if (!cached.converter) return guess(bytes);
    if (cached.ascii_stays && is_ascii(bytes) && !has_shifts(bytes)) return std::string(bytes);
    return convert(cached.converter.get(), bytes);
}

bool is_known_charset(std::string_view charset_label) {
    const std::string label = normalize(charset_label);
    const KnownCharset known = classify(label);
    // The other names of "ascii" tell that nobody knows.
    if (known == KnownCharset::ascii) return label == "us-ascii" || label == "ascii";
    return known != KnownCharset::other || converter_for(label).converter != nullptr;
}

}  // namespace postern::mime

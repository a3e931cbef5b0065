#include "protocols/imap/mailbox_name.h"
#include "protocols/mime/charset.h"
#include "protocols/wire/code_point.h"
#include "protocols/wire/text.h"

#include <cstdint>

namespace postern::imap {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

bool is_direct(char32_t c) {
    return c >= 0x20 && c <= 0x7e;
}

// A run of UTF-16 units between '&' and '-'.
class UnitWriter {
public:
    explicit UnitWriter(std::string& out) : out_(out) {}
    void put(char32_t c) {
        if (c < 0x10000) return unit(c);
        unit(0xd800 + ((c - 0x10000) >> 10));
        unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    void finish() {
        if (bits_ > 0) out_ += alphabet[held_ << (6 - bits_) & 0x3f];
    }

private:
    void unit(char32_t value) {
        held_ = held_ << 16 | static_cast<std::uint32_t>(value);
        for (bits_ += 16; bits_ >= 6;) {
            bits_ -= 6;
            out_ += alphabet[held_ >> bits_ & 0x3f];
        }
        held_ &= (1U << bits_) - 1;
    }

    std::string& out_;
    std::uint32_t held_ = 0;
    unsigned bits_ = 0;
};

// Decodes one such run, without its '&' and '-'.
bool decode_run(std::string_view run, std::string& out) {
    std::uint32_t held = 0;
    unsigned bits = 0;
    char32_t high = 0;
    for (const char c : run) {
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos) return false;
        held = held << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 16) continue;
        bits -= 16;
        const char32_t unit = held >> bits & 0xffff;
        held &= (1U << bits) - 1;
        const bool is_high = unit >= 0xd800 && unit < 0xdc00;
        const bool is_low = unit >= 0xdc00 && unit < 0xe000;
        if (is_low != (high != 0)) return false;
        if (is_low) mime::append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
        if (!is_high && !is_low) mime::append_utf8(out, unit);
        high = is_high ? unit : 0;
    }
    return high == 0;
}

}  // namespace

std::string encode_utf7(std::string_view utf8) {
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        std::size_t after = at;
        char32_t c = wire::next_code_point(utf8, after);
        if (is_direct(c)) {
            out += static_cast<char>(c);
            if (c == '&') out += '-';
            at = after;
            continue;
        }
        out += '&';
        UnitWriter units(out);
        while (!is_direct(c)) {
            units.put(c);
            at = after;
            if (at == utf8.size()) break;
            c = wire::next_code_point(utf8, after);
        }
        units.finish();
        out += '-';
    }
    return out;
}

std::optional<std::string> decode_utf7(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (!is_direct(static_cast<std::uint8_t>(c))) return std::nullopt;
        if (c != '&') {
            out += c;
            continue;
        }
        const std::size_t end = text.find('-', at);
        if (end == std::string_view::npos) return std::nullopt;
        if (end == at + 1) {
            out += '&';
        } else if (!decode_run(text.substr(at + 1, end - at - 1), out)) {
            return std::nullopt;
        }
        at = end;
    }
    // Two spellings of one name would be two names to the client: only the canonical one is taken.
    if (encode_utf7(out) != text) return std::nullopt;
    return out;
}

}  // namespace postern::imap

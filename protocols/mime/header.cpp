#include "protocols/mime/header.h"

#include "protocols/mime/charset.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/lexer.h"
#include "protocols/wire/base64.h"

#include <algorithm>
#include <array>

namespace postern::mime {
namespace {

constexpr std::size_t max_charset_bytes = 64;
constexpr std::size_t encoded_word_payload_bytes = 45;  // 60 of base64, 75 with the frame

struct Word {
    std::string charset;
    std::string bytes;  // decoded, in charset
    std::size_t end = 0;
};

// Finds "?=" from a growing position on: each byte is looked at once, however many words fail.
class EndFinder {
public:
    explicit EndFinder(std::string_view text) : text_(text) {}
    std::size_t from(std::size_t at) {
        if (found_ == unknown || (found_ != std::string_view::npos && found_ < at)) {
            found_ = text_.find("?=", at);
        }
        return found_;
    }

private:
    static constexpr std::size_t unknown = std::string_view::npos - 1;
    std::string_view text_;
    std::size_t found_ = unknown;
};

bool decode_b(std::string_view text, std::string& out) {
    static constexpr ByteSet allowed(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= ");
    const bool valid = std::all_of(text.begin(), text.end(), [](char c) { return allowed.has(c); });
    if (valid) out = decode_content(text, Encoding::base64, text.size());
    return valid;
}

std::string decode_q(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        } else {
            out += c == '_' ? ' ' : c;
        }
    }
    return out;
}

// text[at..] starts with "=?".
bool read_word(std::string_view text, std::size_t at, EndFinder& ends, Word& word) {
    const std::string_view head = text.substr(at + 2, max_charset_bytes + 1);
    const std::size_t charset_size = head.find('?');
    if (charset_size == 0 || charset_size == std::string_view::npos) return false;
    const std::size_t encoding_at = at + 2 + charset_size + 1;
    if (encoding_at + 2 > text.size() || text[encoding_at + 1] != '?') return false;
    const std::size_t begin = encoding_at + 2;
    const std::size_t end = ends.from(begin);
    if (end == std::string_view::npos) return false;
    const std::string_view encoded = text.substr(begin, end - begin);
    const char encoding = wire::to_lower(text[encoding_at]);
    if (encoding == 'q') {
        word.bytes = decode_q(encoded);
    } else if (encoding != 'b' || !decode_b(encoded, word.bytes)) {
        return false;
    }
    std::string_view charset = head.substr(0, charset_size);
    // RFC 2231: "charset*language"
    word.charset = lower_case(charset.substr(0, charset.find('*')));
    word.end = end + 2;
    return true;
}

// Every word of these starts anew; joined, their escapes would stand in each other's way.
bool has_shift_state(std::string_view charset) {
    return charset.starts_with("iso-2022") || charset.starts_with("utf-7") ||
           charset.starts_with("hz");
}

// Words of one charset are joined before conversion: writers cut inside of characters.
class WordDecoder {
public:
    explicit WordDecoder(std::string_view text)
        : text_(text), ends_(text), label_(is_utf8(text) ? "utf-8" : "windows-1252") {}

    std::string run() {
        std::size_t at = 0;
        while (at < text_.size()) {
            const std::size_t start = text_.find("=?", at);
            if (start == std::string_view::npos) break;
            Word word;
            if (read_word(text_, start, ends_, word)) {
                add_word(start, word);
                at = word.end;
            } else {
                at = start + 1;
            }
        }
        add_literal(text_.size());
        return std::move(out_);
    }

private:
    void flush_pending() {
        if (!pending_.bytes.empty()) out_ += to_utf8(pending_.bytes, pending_.charset);
        pending_ = {};
    }

    void add_literal(std::size_t end) {
        flush_pending();
        out_ += to_utf8(text_.substr(literal_, end - literal_), label_);
    }

    void add_word(std::size_t start, Word& word) {
        const bool adjacent = after_word_ && trim(text_.substr(literal_, start - literal_)).empty();
        if (!adjacent) {
            add_literal(start);
        } else if (pending_.charset != word.charset || has_shift_state(word.charset)) {
            flush_pending();
        }
        pending_.bytes += word.bytes;
        pending_.charset = word.charset;
        after_word_ = true;
        literal_ = word.end;
    }

    std::string_view text_;
    EndFinder ends_;
    std::string_view label_;
    std::string out_;
    Word pending_;
    std::size_t literal_ = 0;  // where the text begins that is not in out_ or pending_ yet
    bool after_word_ = false;
};

}  // namespace

std::string unfold(std::string_view raw_value) {
    raw_value = trim(raw_value);
    const bool folded = raw_value.find('\n') != std::string_view::npos ||
                        raw_value.find('\r') != std::string_view::npos;
    if (!folded) return std::string(raw_value);
    std::string out(raw_value);
    std::erase_if(out, [](char c) { return c == '\r' || c == '\n'; });
    return out;
}

std::string decode_words(std::string_view unfolded) {
    if (unfolded.find("=?") == std::string_view::npos && is_utf8(unfolded)) {
        return std::string(unfolded);
    }
    return WordDecoder(unfolded).run();
}

std::string encode_words(std::string_view utf8) {
    if (is_ascii(utf8)) return std::string(utf8);
    std::string out;
    while (!utf8.empty()) {
        std::string_view piece = utf8_prefix(utf8, encoded_word_payload_bytes);
        if (!out.empty()) out += ' ';
        out += "=?UTF-8?B?";
        out += wire::base64_encode(piece);
        out += "?=";
        utf8.remove_prefix(piece.size());
    }
    return out;
}

const HeaderField* find_field(const Part& part, std::string_view whole, std::string_view name) {
    for (const HeaderField& field : part.fields) {
        if (equals_ignoring_case(field.name.of(whole), name)) return &field;
    }
    return nullptr;
}

std::string header_text(const Part& part, std::string_view whole, std::string_view name) {
    const HeaderField* field = find_field(part, whole, name);
    return field == nullptr ? std::string() : decode_words(unfold(field->value.of(whole)));
}

}  // namespace postern::mime

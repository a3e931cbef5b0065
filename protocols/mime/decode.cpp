#include "protocols/mime/decode.h"

#include "protocols/mime/lexer.h"

#include <algorithm>
#include <array>

namespace postern::mime {
namespace {

constexpr std::uint8_t padding = 64;
constexpr std::uint8_t skipped = 65;

constexpr std::array<std::uint8_t, 256> make_sextets() {
    std::array<std::uint8_t, 256> table{};
    table.fill(skipped);
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    table['='] = padding;
    return table;
}
constexpr std::array<std::uint8_t, 256> sextets = make_sextets();

bool append_bounded(std::string& out, std::string_view piece, std::size_t max_out_bytes) {
    if (out.size() >= max_out_bytes) return piece.empty();
    const std::size_t room = max_out_bytes - out.size();
    out.append(piece.substr(0, room));
    return piece.size() <= room;
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
bool is_line_end(char c) {
    return c == '\r' || c == '\n';
}

// What is left of a group of four sextets: 2 make one byte, 3 make two.
std::string_view partial_group(std::uint32_t bits, unsigned count, std::array<char, 2>& bytes) {
    if (count < 2) return {};
    bits <<= 6 * (4 - count);
    bytes = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8)};
    return {bytes.data(), count - 1};
}

}  // namespace

bool ContentDecoder::feed(std::string_view in, std::string& out, std::size_t max_out_bytes) {
    if (encoding_ == Encoding::base64) return feed_base64(in, out, max_out_bytes);
    if (encoding_ == Encoding::quoted_printable) {
        return feed_quoted_printable(in, out, max_out_bytes);
    }
    return append_bounded(out, in, max_out_bytes);
}

bool ContentDecoder::finish(std::string& out, std::size_t max_out_bytes) {
    std::array<char, 2> bytes;
    const std::string_view rest = partial_group(bits_, bits_count_, bytes);
    bits_count_ = 0;
    bits_ = 0;
    const std::string held = std::move(held_);
    held_.clear();
    // White space at the end and a lone '=' are a soft line break; "=4" is text.
    const bool text = held.size() > 1 && held[0] == '=' && hex_value(held[1]) >= 0;
    return append_bounded(out, rest, max_out_bytes) &&
           append_bounded(out, text ? held : std::string_view(), max_out_bytes);
}

bool ContentDecoder::feed_base64(std::string_view in, std::string& out, std::size_t max_out_bytes) {
    const auto sextet = [&](std::size_t i) { return sextets[static_cast<unsigned char>(in[i])]; };
    std::size_t at = 0;
    const std::size_t room = max_out_bytes > out.size() ? max_out_bytes - out.size() : 0;
    out.reserve(out.size() + std::min(room, in.size() / 4 * 3 + 3));
    while (at < in.size()) {
        if (bits_count_ == 0 && at + 4 <= in.size() && out.size() + 3 <= max_out_bytes) {
            const std::uint32_t a = sextet(at), b = sextet(at + 1), c = sextet(at + 2),
                                d = sextet(at + 3);
            if ((a | b | c | d) < padding) {
                const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
                const char bytes[] = {static_cast<char>(group >> 16), static_cast<char>(group >> 8),
                                      static_cast<char>(group)};
                out.append(bytes, 3);
                at += 4;
                continue;
            }
        }
        const std::uint8_t value = sextet(at++);
        std::array<char, 2> bytes;
        if (value == padding) {
            const std::string_view rest = partial_group(bits_, bits_count_, bytes);
            bits_ = 0;
            bits_count_ = 0;
            if (!append_bounded(out, rest, max_out_bytes)) return false;
        } else if (value < padding) {
            bits_ = bits_ << 6 | value;
            if (++bits_count_ < 4) continue;
            const char group[] = {static_cast<char>(bits_ >> 16), static_cast<char>(bits_ >> 8),
                                  static_cast<char>(bits_)};
            bits_ = 0;
            bits_count_ = 0;
            if (!append_bounded(out, {group, 3}, max_out_bytes)) return false;
        }
    }
    return true;
}

// held_ is white space that a line end would drop, or the start of an escape: "=", "=4", "=  ",
// "=\r". Takes c into it, or writes it out. True: c is used up.
bool ContentDecoder::take_held(char c, std::string& out) {
    if (held_[0] != '=') {
        if (is_blank(c)) {
            held_ += c;
            return true;
        }
        if (!is_line_end(c)) out += held_;
        held_.clear();
        return false;
    }
    const char last = held_.back();
    if (last == '\r') {
        held_.clear();
        return c == '\n';
    }
    if (held_.size() == 2 && hex_value(last) >= 0) {
        const int high = hex_value(last);
        if (hex_value(c) < 0) {
            out += held_;
        } else {
            out += static_cast<char>(high << 4 | hex_value(c));
        }
        held_.clear();
        return hex_value(c) >= 0;
    }
    if (c == '\n') {
        held_.clear();
        return true;
    }
    if (is_blank(c) || c == '\r' || (held_.size() == 1 && hex_value(c) >= 0)) {
        held_ += c;
        return true;
    }
    out += held_;
    held_.clear();
    return false;
}

bool ContentDecoder::feed_quoted_printable(std::string_view in, std::string& out,
                                           std::size_t max_out_bytes) {
    std::size_t at = 0;
    while (at < in.size()) {
        if (out.size() > max_out_bytes) break;
        if (!held_.empty()) {
            if (take_held(in[at], out)) ++at;
            continue;
        }
        std::size_t end = at;
        while (end < in.size() && in[end] != '=' && !is_line_end(in[end])) ++end;
        std::size_t text_end = end;
        // Blanks before an escape are text, before a line end they are dropped.
        if (end == in.size() || in[end] != '=') {
            while (text_end > at && is_blank(in[text_end - 1])) --text_end;
        }
        out.append(in, at, text_end - at);
        if (end == in.size()) {
            held_.assign(in, text_end, end - text_end);
            break;
        }
        at = end + 1;
        if (in[end] != '=') {
            out += in[end];
        } else if (at + 1 < in.size() && hex_value(in[at]) >= 0 && hex_value(in[at + 1]) >= 0) {
            out += static_cast<char>(hex_value(in[at]) << 4 | hex_value(in[at + 1]));
            at += 2;
        } else {
            held_ = "=";
        }
    }
    if (out.size() <= max_out_bytes) return true;
    out.resize(max_out_bytes);
    return false;
}

std::string decode_content(std::string_view bytes, Encoding encoding, std::size_t max_out_bytes) {
    std::string out;
    ContentDecoder decoder(encoding);
    if (decoder.feed(bytes, out, max_out_bytes)) decoder.finish(out, max_out_bytes);
    return out;
}

}  // namespace postern::mime

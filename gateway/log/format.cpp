#include "gateway/log/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <iterator>

namespace postern::logging {

namespace {

using Buffer = fmt::memory_buffer;

// Length of the well-formed UTF-8 sequence at text[at] that is worth printing; 0: escape the byte.
std::size_t printable_utf8(std::string_view text, std::size_t at) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || at + length > text.size()) return 0;
    std::uint32_t code = lead & (0x7f >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte(at + i) & 0x3f);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    const bool control =
        code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return overlong || surrogate || control || code > 0x10ffff ? 0 : length;
}

// `escape` writes a byte that must not appear as it is.
template <class Escape>
void append_escaped(Buffer& out, std::string_view text, Escape escape) {
    const bool cut = text.size() > max_value_bytes;
    if (cut) text = text.substr(0, max_value_bytes);
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        const std::size_t length =
            c < 0x80 ? (c < 0x20 || c == 0x7f ? 0 : 1) : printable_utf8(text, i);
        if (length == 0) {
            escape(c);
            ++i;
            continue;
        }
        if (c == '"' || c == '\\') out.push_back('\\');
        out.append(text.data() + i, text.data() + i + length);
        i += length;
    }
    if (cut) out.append(std::string_view("..."));
}

void append_text_value(Buffer& out, std::string_view text) {
    bool plain = !text.empty() && text.size() <= max_value_bytes;
    for (unsigned char c : text) {
        plain = plain && c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
    }
    if (plain) {
        out.append(text);
        return;
    }
    out.push_back('"');
    append_escaped(out, text, [&](unsigned char c) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    });
    out.push_back('"');
}

void append_json_string(Buffer& out, std::string_view text) {
    out.push_back('"');
    // A byte that is no UTF-8 becomes U+0080 to U+00FF: JSON text cannot hold it, and it stays
    // readable.
    append_escaped(out, text, [&](unsigned char c) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    });
    out.push_back('"');
}

void append_value(Buffer& out, const Field::Value& value, bool json) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        json ? append_json_string(out, *text) : append_text_value(out, *text);
    } else if (const auto* real = std::get_if<double>(&value)) {
        if (json && !std::isfinite(*real))
            out.append(std::string_view("null"));
        else
            fmt::format_to(std::back_inserter(out), "{:.6g}", *real);
    } else {
        std::visit(
            [&](const auto& plain) {
                if constexpr (!std::is_same_v<std::decay_t<decltype(plain)>, std::string_view>) {
                    fmt::format_to(std::back_inserter(out), "{}", plain);
                }
            },
            value);
    }
}

std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warning:
            return "warning";
        case Level::error:
            return "error";
    }
    return "error";
}

void append_time(Buffer& out, std::int64_t unix_ms) {
    const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
    fmt::format_to(std::back_inserter(out), "{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds),
                   unix_ms % 1000);
}

}  // namespace

std::string format_line(Level level, std::string_view event, std::span<const Field> fields,
                        std::int64_t time_unix_ms, bool json) {
    Buffer out;
    out.append(std::string_view(json ? "{\"time\":\"" : "time="));
    append_time(out, time_unix_ms);
    out.append(std::string_view(json ? "\",\"level\":\"" : " level="));
    out.append(name_of(level));
    out.append(std::string_view(json ? "\",\"event\":" : " event="));
    append_value(out, Field::Value(event), json);
    for (const auto& field : fields) {
        out.append(std::string_view(json ? ",\"" : " "));
        out.append(field.key());
        out.append(std::string_view(json ? "\":" : "="));
        append_value(out, field.value(), json);
    }
    if (json) out.push_back('}');
    return fmt::to_string(out);
}

}  // namespace postern::logging

#include "protocols/mime/transfer_encode.h"

#include "protocols/wire/base64.h"

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace postern::mime {

namespace {

constexpr std::size_t base64_bytes_a_line = 57;  // 76 characters
constexpr std::size_t quoted_line_bytes = 76;    // with the "=" of a soft line end

void append_escaped(std::string& out, char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<std::uint8_t>(c);
    out += '=';
    out += digits[byte >> 4];
    out += digits[byte & 0x0F];
}

// One line, without its CRLF.
void append_quoted_line(std::string& out, std::string_view line) {
    std::size_t begin = out.size();
    const bool risky = line == "." || line.starts_with("From ");
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const bool last = i + 1 == line.size();
        const bool blank = c == ' ' || c == '\t';
        const bool plain = (c > ' ' && c < 0x7f && c != '=') || (blank && !last);
        const bool escape = !plain || (risky && i == 0);
        const std::size_t bytes = escape ? 3 : 1;
        if (out.size() - begin + bytes + (last ? 0 : 1) > quoted_line_bytes) {
            out += "=\r\n";
            begin = out.size();
        }
        if (escape)
            append_escaped(out, c);
        else
            out += c;
    }
}

}  // namespace

std::size_t base64_lines_bytes(std::size_t bytes) {
    const std::size_t lines = (bytes + base64_bytes_a_line - 1) / base64_bytes_a_line;
    return (bytes + 2) / 3 * 4 + (lines > 0 ? lines - 1 : 0) * 2;
}

std::string encode_base64_lines(std::string_view bytes) {
    std::string out;
    out.reserve(base64_lines_bytes(bytes.size()));
    for (std::size_t i = 0; i < bytes.size(); i += base64_bytes_a_line) {
        if (i != 0) out += "\r\n";
        out += wire::base64_encode(bytes.substr(i, base64_bytes_a_line));
    }
    return out;
}

std::string encode_quoted_printable(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    while (true) {
        const std::size_t end = text.find("\r\n");
        append_quoted_line(out, text.substr(0, end));
        if (end == std::string_view::npos) return out;
        out += "\r\n";
        text.remove_prefix(end + 2);
    }
}

std::string with_edits(std::string_view whole, std::vector<Edit> edits) {
    std::stable_sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) {
        return std::tie(a.range.begin, a.range.end) < std::tie(b.range.begin, b.range.end);
    });
    std::size_t bytes = whole.size();
    for (const Edit& edit : edits) bytes += edit.text.size() - edit.range.size();
    std::string out;
    out.reserve(bytes);
    std::size_t done = 0;
    for (const Edit& edit : edits) {
        out.append(whole.substr(done, edit.range.begin - done)).append(edit.text);
        done = edit.range.end;
    }
    return out.append(whole.substr(done));
}

}  // namespace postern::mime

#include "protocols/smtp/reply.h"

#include <algorithm>
#include <string_view>

namespace postern::smtp {
namespace {

std::string_view take_line(std::string_view& text) {
    const std::size_t lf = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, lf);
    text.remove_prefix(std::min(lf + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

void append_reply(const Reply& reply, std::string& out) {
    const bool sane = reply.code >= 200 && reply.code < 600;
    const std::string code = std::to_string(sane ? reply.code : 451);
    std::string_view text = reply.text;
    do {
        const std::string_view line = take_line(text);
        const std::size_t start = out.size();
        out += code;
        out += text.empty() ? ' ' : '-';
        if (!reply.enhanced.empty()) out.append(reply.enhanced).append(" ");
        out += line;
        out.resize(std::min(out.size(), start + max_reply_line_bytes - 2));
        std::replace_if(
            out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
        out += "\r\n";
    } while (!text.empty());
}

}  // namespace postern::smtp

#include "protocols/mime/header_line.h"

#include "protocols/mime/message.h"

namespace postern::mime {

std::size_t field_colon(std::string_view line, std::size_t& name_size) {
    std::size_t at = 0;
    if (line.starts_with("--")) return std::string_view::npos;
    while (at < line.size() && line[at] > 32 && line[at] < 127 && line[at] != ':') ++at;
    name_size = at;
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
    if (name_size == 0 || at >= line.size() || line[at] != ':') return std::string_view::npos;
    return at;
}

bool is_from_line(std::string_view line) {
    return line.starts_with("From ") || line.starts_with(">From ");
}

std::size_t mbox_from_line_bytes(std::string_view whole) {
    if (!is_from_line(whole.substr(0, 6))) return 0;
    const std::size_t end = whole.find('\n');
    std::size_t name_size = 0;
    if (field_colon(whole.substr(0, end), name_size) != std::string_view::npos) return 0;
    return end == std::string_view::npos ? whole.size() : end + 1;
}

}  // namespace postern::mime

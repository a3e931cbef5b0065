#include "protocols/mime/summary.h"

#include "protocols/mime/charset.h"
#include "protocols/mime/date.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/envelope.h"
#include "protocols/mime/header.h"
#include "protocols/mime/html.h"
#include "protocols/mime/lexer.h"
#include "protocols/mime/structure.h"

namespace postern::mime {
namespace {

// How much of a text is decoded for its preview: little at first, more when that shows nothing.
constexpr std::size_t preview_source_bytes = 1024;
constexpr std::size_t preview_html_source_bytes = 4096;
constexpr std::size_t preview_last_source_bytes = 32UL * 1024;
constexpr std::size_t preview_bytes = 4 * max_preview_characters;

// White space and controls collapsed, at most max_preview_characters.
std::string shorten(std::string_view text) {
    std::string out;
    std::size_t characters = 0;
    bool space = false;
    for (const char c : text) {
        const bool blank = static_cast<unsigned char>(c) <= ' ' || c == 127;
        if (blank) {
            space = !out.empty();
            continue;
        }
        if (!is_continuation(c)) {
            characters += space ? 2 : 1;
            if (characters > max_preview_characters) break;
        }
        if (space) out += ' ';
        space = false;
        out += c;
    }
    return out;
}

std::string preview_of(const Part& part, std::string_view whole, std::size_t source_bytes) {
    const std::string text = decoded_text(part, whole, source_bytes);
    return shorten(part.subtype == "html" ? html_preview(text, preview_bytes) : text);
}

std::string make_preview(const Message& message, std::string_view whole) {
    for (const Part& part : message.parts) {
        if (!part.holds_text() || part.disposition == "attachment") continue;
        const std::size_t little =
            part.subtype == "html" ? preview_html_source_bytes : preview_source_bytes;
        std::string preview = preview_of(part, whole, little);
        if (preview.empty() && part.body.size() > little) {
            preview = preview_of(part, whole, preview_last_source_bytes);
        }
        if (!preview.empty()) return preview;
    }
    return {};
}

std::string bounded_header(const Part& part, std::string_view whole, std::string_view name) {
    std::string text = header_text(part, whole, name);
    text.resize(utf8_prefix(text, max_envelope_string_bytes).size());
    return text;
}

std::string find_message_id(const Part& part, std::string_view whole) {
    const std::string value = bounded_header(part, whole, "Message-ID");
    const std::size_t begin = value.find('<');
    const std::size_t end = value.find('>', begin == std::string::npos ? 0 : begin);
    if (begin == std::string::npos || end == std::string::npos) return {};
    return value.substr(begin, end + 1 - begin);
}

std::vector<std::string_view> ids_in(std::string_view value) {
    std::vector<std::string_view> ids;
    for (std::size_t at = value.find('<'); at != std::string_view::npos; at = value.find('<', at)) {
        const std::size_t end = value.find_first_of("<> \t\r\n", at + 1);
        if (end == std::string_view::npos) break;
        if (value[end] == '>' && end > at + 1) ids.push_back(value.substr(at, end + 1 - at));
        at = end;
    }
    return ids;
}

std::string find_references(const Part& part, std::string_view whole) {
    std::vector<std::string_view> ids;
    if (const HeaderField* field = find_field(part, whole, "References")) {
        ids = ids_in(field->value.of(whole));
    }
    if (ids.empty()) {
        if (const HeaderField* field = find_field(part, whole, "In-Reply-To")) {
            ids = ids_in(field->value.of(whole));
            if (ids.size() > 1) ids.resize(1);
        }
    }
    if (ids.empty() || ids.front().size() > max_references_bytes / 2) return {};
    std::string last;
    for (std::size_t i = ids.size(); i-- > 1;) {
        if (ids.front().size() + 1 + last.size() + ids[i].size() > max_references_bytes) break;
        last.insert(0, " " + std::string(ids[i]));
    }
    return std::string(ids.front()) + last;
}

}  // namespace

Summary summarize(const Message& message, std::string_view whole) {
    const Part& root = message.parts[0];
    Summary summary;
    summary.envelope = write_envelope(root, whole);
    write_structure(message, whole, summary);
    summary.preview = make_preview(message, whole);
    summary.message_id = find_message_id(root, whole);
    summary.references = find_references(root, whole);
    summary.subject = bounded_header(root, whole, "Subject");
    summary.from = bounded_header(root, whole, "From");
    if (const HeaderField* date = find_field(root, whole, "Date")) {
        if (const auto sent = parse_date(date->value.of(whole))) {
            summary.sent_unix_ms = sent->unix_seconds * 1000;
            summary.sent_zone_minutes = static_cast<std::int16_t>(sent->zone_minutes);
        }
    }
    return summary;
}

}  // namespace postern::mime

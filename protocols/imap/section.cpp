#include "protocols/imap/section.h"

#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::imap {
namespace {

using Kind = FetchItem::Kind;
using Text = FetchItem::Text;

std::optional<mime::Range> range_of(const mime::PartOffsets& part, Text text) {
    const bool is_message = part.embedded_message || part.number.empty();
    switch (text) {
        case Text::whole:
            return part.body;
        case Text::mime:
            return part.mime_header;
        case Text::header:
        case Text::fields:
        case Text::fields_not:
            if (is_message) return part.header;
            break;
        case Text::text:
            if (is_message) return part.text;
            break;
    }
    return std::nullopt;
}

bool names_field(const std::vector<std::string>& names, std::string_view line) {
    const std::string_view name = line.substr(0, line.find(':'));
    const std::string_view trimmed = name.substr(0, name.find_last_not_of(" \t\r\n") + 1);
    return std::any_of(names.begin(), names.end(), [&](const std::string& wanted) {
        return wire::equals_ignoring_case(wanted, trimmed);
    });
}

}  // namespace

bool needs_summary(const FetchItem& item) {
    switch (item.kind) {
        case Kind::envelope:
        case Kind::body:
        case Kind::body_structure:
            return true;
        case Kind::section:
        case Kind::binary:
        case Kind::binary_size:
            return !item.part.empty() || item.text != Text::whole;
        case Kind::preview:
            return true;
        case Kind::flags:
        case Kind::internal_date:
        case Kind::size:
        case Kind::uid:
        case Kind::mod_seq:
        case Kind::save_date:
        case Kind::email_id:
        case Kind::thread_id:
            break;
    }
    return false;
}

bool picks_fields(const FetchItem& item) {
    return item.kind == Kind::section &&
           (item.text == Text::fields || item.text == Text::fields_not);
}

bool is_decoded(const FetchItem& item) {
    return item.kind == Kind::binary || item.kind == Kind::binary_size;
}

mime::Encoding encoding_of(const FetchItem& item, const mime::Summary* summary) {
    if (item.part.empty() || summary == nullptr) return mime::Encoding::identity;
    const auto part = std::find_if(
        summary->parts.begin(), summary->parts.end(),
        [&](const mime::PartOffsets& candidate) { return candidate.number == item.part; });
    return part == summary->parts.end() ? mime::Encoding::identity : part->encoding;
}

std::optional<mime::Range> find_section(const FetchItem& item, const mime::Summary* summary,
                                        std::uint64_t message_bytes) {
    if (!needs_summary(item)) return mime::Range{0, message_bytes};
    const auto part = std::find_if(
        summary->parts.begin(), summary->parts.end(),
        [&](const mime::PartOffsets& candidate) { return candidate.number == item.part; });
    if (part == summary->parts.end()) return std::nullopt;
    auto range = range_of(*part, item.text);
    if (!range) return std::nullopt;
    range->end = std::min(range->end, message_bytes);
    range->begin = std::min(range->begin, range->end);
    return range;
}

mime::Range cut_partial(mime::Range range, const std::optional<FetchItem::Partial>& partial) {
    if (!partial) return range;
    range.begin = std::min<std::uint64_t>(range.end, range.begin + partial->origin);
    range.end = std::min<std::uint64_t>(range.end, range.begin + partial->size);
    return range;
}

std::string pick_fields(std::string_view header, const std::vector<std::string>& names,
                        bool others) {
    std::string out;
    bool keep = false;
    for (std::size_t at = 0; at < header.size();) {
        const std::size_t lf = header.find('\n', at);
        const std::size_t end = lf == std::string_view::npos ? header.size() : lf + 1;
        const std::string_view line = header.substr(at, end - at);
        at = end;
        if (line == "\r\n" || line == "\n") break;
        const bool continued = line.front() == ' ' || line.front() == '\t';
        if (!continued) keep = names_field(names, line) != others;
        if (keep) out += line;
    }
    return out + "\r\n";
}

}  // namespace postern::imap

// A whole message: the tree must be well nested, and everything derived from it must hold together.
#include "protocols/mime/charset.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/header.h"
#include "protocols/mime/message.h"
#include "protocols/mime/seven_bit.h"
#include "protocols/mime/summary.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace postern::mime;

constexpr std::size_t max_text_bytes = 4096;

void require(bool holds) {
    if (!holds) std::abort();
}

void check_fields(const Part& part, std::string_view whole) {
    std::uint64_t end = part.header.begin;
    for (const HeaderField& field : part.fields) {
        require(field.line.begin >= end && field.line.end <= part.header.end);
        require(field.name.begin == field.line.begin && field.name.size() > 0);
        require(field.name.end < field.value.begin && field.value.begin <= field.value.end);
        require(field.value.end <= field.line.end);
        end = field.line.end;
        require(find_field(part, whole, field.name.of(whole)) != nullptr);
        require(is_utf8(header_text(part, whole, field.name.of(whole))));
    }
}

void check_tree(const Message& message, std::string_view whole) {
    require(!message.parts.empty() && message.parts.size() <= max_parts);
    require(message.parts[0].header.begin == 0 && message.parts[0].body.end == whole.size());
    for (std::size_t i = 0; i < message.parts.size(); ++i) {
        const Part& part = message.parts[i];
        require(part.header.end == part.body.begin && part.body.begin <= part.body.end);
        require(part.body_lines <= part.body.size() && part.header_lines <= part.header.size());
        std::uint64_t end = part.body.begin;
        for (const int child : part.children) {
            const Part& inner = message.parts[static_cast<std::size_t>(child)];
            require(child > static_cast<int>(i) && inner.parent == static_cast<int>(i));
            require(inner.header.begin >= end && inner.body.end <= part.body.end);
            end = inner.body.end;
        }
        check_fields(part, whole);
        const std::string text = decoded_text(part, whole, max_text_bytes);
        require(text.size() <= max_text_bytes && is_utf8(text));
        require(is_utf8(part.disposition));
        for (const Parameter& parameter : part.parameters) require(is_utf8(parameter.value));
    }
}

// Parentheses and quotes balance, and literals have the bytes that they announce.
void check_imap_value(std::string_view text) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        require(c != '\r' && c != '\n' && c != '\0' && static_cast<unsigned char>(c) < 0x80);
        if (c == '(') ++depth;
        if (c == ')') require(depth-- > 0);
        if (c == '"') {
            for (++i; require(i < text.size()), text[i] != '"'; ++i) {
                require(text[i] != '\r' && text[i] != '\n' && text[i] != '\0');
                require(static_cast<unsigned char>(text[i]) < 0x80);
                if (text[i] == '\\') ++i;
            }
        }
        if (c == '{') {
            std::size_t size = 0;
            for (++i; require(i < text.size()), text[i] != '}'; ++i) {
                size = size * 10 + static_cast<std::size_t>(text[i] - '0');
            }
            require(text.substr(i + 1, 2) == "\r\n" && size <= text.size() - i - 3);
            i += 2 + size;
        }
    }
    require(depth == 0);
}

void check_summary(const Message& message, std::string_view whole) {
    const Summary summary = summarize(message, whole);
    check_imap_value(summary.envelope);
    check_imap_value(summary.body);
    check_imap_value(summary.body_structure);
    require(is_utf8(summary.preview) && is_utf8(summary.subject) && is_utf8(summary.from));
    require(summary.preview.size() <= 4 * max_preview_characters);
    require(summary.parts.size() >= 2 && summary.parts[0].number.empty());
    for (const PartOffsets& part : summary.parts) {
        for (const Range& range : {part.header, part.mime_header, part.body, part.text}) {
            require(range.begin <= range.end && range.end <= whole.size());
        }
    }
    const std::string bytes = encode_summary(summary);
    const auto decoded = decode_summary(bytes);
    require(decoded && encode_summary(*decoded) == bytes);
}

void check_seven_bit(std::string_view whole) {
    const auto plain = to_seven_bit(whole);
    if (plain) {
        require(is_ascii(*plain));
        check_tree(parse(*plain), *plain);
    }
    const auto header = with_ascii_header(whole);
    require(!header || !is_ascii(whole) || *header == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view whole(reinterpret_cast<const char*>(data), size);
    const Message message = parse(whole);
    check_tree(message, whole);
    check_summary(message, whole);
    check_seven_bit(whole);
    require(mbox_from_line_bytes(whole) <= size);
    return 0;
}

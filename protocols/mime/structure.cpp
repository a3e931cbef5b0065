#include "protocols/mime/structure.h"

#include "protocols/mime/charset.h"
#include "protocols/mime/envelope.h"
#include "protocols/mime/header.h"
#include "protocols/mime/imap_text.h"
#include "protocols/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr std::string_view empty_text_body =
    R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0)";  // extension and ')' follow

// The fields of a part that the structure shows.
struct ContentHeader {
    const HeaderField* type = nullptr;
    const HeaderField* disposition = nullptr;
    const HeaderField* encoding = nullptr;
    const HeaderField* id = nullptr;
    const HeaderField* description = nullptr;
    const HeaderField* md5 = nullptr;
    const HeaderField* language = nullptr;
    const HeaderField* location = nullptr;

    ContentHeader(const Part& part, std::string_view whole) {
        for (const HeaderField& field : part.fields) {
            const std::string_view name = field.name.of(whole);
            if (name.size() < 10 || wire::to_lower(name[0]) != 'c' || name[7] != '-') continue;
            note(name.substr(8), field);
        }
    }

    void note(std::string_view name, const HeaderField& field) {
        const auto take = [&](const HeaderField*& slot, std::string_view wanted) {
            if (slot == nullptr && equals_ignoring_case(name, wanted)) slot = &field;
        };
        take(type, "Type");
        take(disposition, "Disposition");
        take(encoding, "Transfer-Encoding");
        take(id, "ID");
        take(description, "Description");
        take(md5, "MD5");
        take(language, "Language");
        take(location, "Location");
    }
};

void append_text_field(std::string& out, const HeaderField* field, std::string_view whole) {
    append_imap_text_or_nil(out, field == nullptr ? "" : unfold(field->value.of(whole)));
}

// RFC 2231: the form in which a client can read what was written as raw 8-bit.
void append_extended(std::string& out, const Parameter& parameter) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string value = "utf-8''";
    for (const char c : to_utf8(parameter.value, "")) {
        if (is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_') {
            value += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            value += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
    append_imap_string(out, parameter.name + '*');
    out += ' ';
    append_imap_string(out, value);
}

void append_parameters(std::string& out, const HeaderField* field, std::string_view whole,
                       bool needs_charset) {
    const std::size_t start = out.size();
    if (field != nullptr) {
        for (const Parameter& parameter : raw_parameters(field->value.of(whole))) {
            out += out.size() == start ? '(' : ' ';
            if (parameter.name == "charset") needs_charset = false;
            if (is_ascii(parameter.name) && !is_ascii(parameter.value)) {
                append_extended(out, parameter);
                continue;
            }
            append_imap_text(out, parameter.name);
            out += ' ';
            append_imap_text(out, parameter.value);
        }
    }
    if (needs_charset) {
        out += out.size() == start ? '(' : ' ';
        out += R"("charset" "us-ascii")";
    }
    out += out.size() == start ? "NIL" : ")";
}

std::string transfer_encoding(const HeaderField* field, std::string_view whole) {
    if (field == nullptr) return "7bit";
    const std::string value = unfold(field->value.of(whole));
    const std::size_t begin = skip_cfws(value, 0);
    std::size_t end = begin;
    while (end < value.size() && !is_space(value[end]) && value[end] != '(' && value[end] != ';') {
        ++end;
    }
    return begin == end ? "7bit" : lower_case(std::string_view(value).substr(begin, end - begin));
}

void append_languages(std::string& out, const HeaderField* field, std::string_view whole) {
    const std::string value = field == nullptr ? "" : unfold(field->value.of(whole));
    if (value.find(',') == std::string::npos) return append_imap_text_or_nil(out, value);
    out += '(';
    std::string_view rest = value;
    bool first = true;
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        if (!first) out += ' ';
        append_imap_text(out, trim(rest.substr(0, comma)));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
        first = false;
    }
    out += ')';
}

class StructureWriter {
public:
    StructureWriter(const Message& message, std::string_view whole, Summary& out)
        : message_(message), whole_(whole), out_(out) {}

    void run() {
        const Part& root = message_.parts[0];
        PartOffsets& all = out_.parts.emplace_back();
        all.header = all.mime_header = root.header;
        all.body = {0, whole_.size()};
        all.text = root.body;
        all.embedded_message = true;
        write_message(0, "");
    }

private:
    // The root of a message, outer or embedded; number is that of the part which holds it.
    void write_message(int index, const std::string& number) {
        if (part_at(index).is_multipart()) {
            write_multipart(index, number);
        } else {
            write_part(index, number.empty() ? "1" : number + ".1");
        }
    }

    void write_part(int index, const std::string& number) {
        const Part& part = part_at(index);
        PartOffsets& offsets = out_.parts.emplace_back();
        offsets.number = number;
        offsets.header = offsets.mime_header = part.header;
        offsets.body = offsets.text = part.body;
        offsets.encoding = part.encoding;
        if (part.is_multipart()) return write_multipart(index, number);
        if (part.is_message() && !part.children.empty()) {
            const Part& embedded = part_at(part.children[0]);
            offsets.header = embedded.header;
            offsets.text = embedded.body;
            offsets.embedded_message = true;
        }
        write_leaf(index, number);
    }

    void write_leaf(int index, const std::string& number) {
        const Part& part = part_at(index);
        const ContentHeader header(part, whole_);
        std::string basic = "(";
        append_imap_string(basic, part.type);
        basic += ' ';
        append_imap_string(basic, part.subtype);
        basic += ' ';
        append_parameters(basic, header.type, whole_, part.type == "text");
        basic += ' ';
        append_text_field(basic, header.id, whole_);
        basic += ' ';
        append_text_field(basic, header.description, whole_);
        basic += ' ';
        append_imap_text(basic, transfer_encoding(header.encoding, whole_));
        basic += ' ' + std::to_string(part.body.size());
        both(basic);
        if (part.is_message()) {
            write_embedded(part, number);
        }
        if (part.is_message() || part.type == "text") {
            both(' ' + std::to_string(part.body_lines));
        }
        out_.body_structure += ' ';
        append_text_field(out_.body_structure, header.md5, whole_);
        write_extension(part, header);
        both(")");
    }

    void write_embedded(const Part& part, const std::string& number) {
        both(" ");
        if (part.children.empty()) {
            both(empty_envelope);
            both(" ");
            write_empty_text();
            return;
        }
        both(write_envelope(part_at(part.children[0]), whole_));
        both(" ");
        write_message(part.children[0], number);
    }

    void write_multipart(int index, const std::string& number) {
        const Part& part = part_at(index);
        const ContentHeader header(part, whole_);
        both("(");
        int count = 0;
        const auto next_number = [&] {
            const std::string own = std::to_string(++count);
            return number.empty() ? own : number + '.' + own;
        };
        for (const int child : part.children) write_part(child, next_number());
        if (part.children.empty()) write_unopened(part, next_number());
        both(" ");
        std::string subtype;
        append_imap_string(subtype, part.subtype);
        both(subtype);
        out_.body_structure += ' ';
        append_parameters(out_.body_structure, header.type, whole_, false);
        write_extension(part, header);
        both(")");
    }

    // IMAP has no multipart without parts: what it holds is shown as one text.
    void write_unopened(const Part& part, const std::string& number) {
        PartOffsets& offsets = out_.parts.emplace_back();
        offsets.number = number;
        offsets.header = offsets.mime_header = {part.body.begin, part.body.begin};
        offsets.body = offsets.text = part.body;
        both(R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" )");
        both(std::to_string(part.body.size()) + ' ' + std::to_string(part.body_lines));
        out_.body_structure += " NIL NIL NIL NIL";
        both(")");
    }

    void write_empty_text() {
        both(empty_text_body);
        out_.body_structure += " NIL NIL NIL NIL";
        both(")");
    }

    // " disposition language location", of BODYSTRUCTURE alone.
    void write_extension(const Part& part, const ContentHeader& header) {
        std::string& out = out_.body_structure;
        if (part.disposition.empty()) {
            out += " NIL";
        } else {
            out += " (";
            append_imap_text(out, part.disposition);
            out += ' ';
            append_parameters(out, header.disposition, whole_, false);
            out += ')';
        }
        out += ' ';
        append_languages(out, header.language, whole_);
        out += ' ';
        append_text_field(out, header.location, whole_);
    }

    void both(std::string_view text) {
        out_.body += text;
        out_.body_structure += text;
    }

    const Part& part_at(int index) const { return message_.parts[static_cast<std::size_t>(index)]; }

    const Message& message_;
    std::string_view whole_;
    Summary& out_;
};

}  // namespace

void write_structure(const Message& message, std::string_view whole, Summary& summary) {
    StructureWriter(message, whole, summary).run();
}

}  // namespace postern::mime

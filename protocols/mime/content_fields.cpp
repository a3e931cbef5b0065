#include "protocols/mime/content_fields.h"

#include "protocols/mime/header.h"
#include "protocols/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr ByteSet tspecials("()<>@,;:\\\"/[]?=");  // RFC 2045 section 5.1

bool is_token_char(char c) {
    return c > 32 && c < 127 && !tspecials.has(c);
}

std::string read_token(std::string_view value, std::size_t& at) {
    at = skip_cfws(value, at);
    const std::size_t start = at;
    while (at < value.size() && is_token_char(value[at])) ++at;
    return lower_case(value.substr(start, at - start));
}

Encoding read_encoding(std::string_view value) {
    std::size_t at = 0;
    const std::string token = read_token(value, at);
    if (token == "base64") return Encoding::base64;
    if (token == "quoted-printable") return Encoding::quoted_printable;
    if (token.empty() || token == "7bit" || token == "8bit" || token == "binary") {
        return Encoding::identity;
    }
    return Encoding::unknown;
}

// As written where it is written whole: decoding words in it could only make it differ from the
// lines that it has to match.
std::string read_boundary(const std::vector<Parameter>& raw, const std::vector<Parameter>& joined) {
    const std::string* value = find_parameter(raw, "boundary");
    if (value == nullptr) value = find_parameter(joined, "boundary");
    if (value == nullptr) return {};
    std::string boundary = *value;
    while (!boundary.empty() && is_space(boundary.back())) boundary.pop_back();
    return boundary;
}

}  // namespace

bool read_content_type(std::string_view value, std::string& type, std::string& subtype) {
    std::size_t at = 0;
    std::string main = read_token(value, at);
    at = skip_cfws(value, at);
    if (main.empty() || at >= value.size() || value[at] != '/') return false;
    std::string sub = read_token(value, ++at);
    if (sub.empty()) return false;
    type = std::move(main);
    subtype = std::move(sub);
    return true;
}

void ContentFields::note(std::string_view name, std::size_t field_index) {
    if (name.size() < 12 || wire::to_lower(name[0]) != 'c' || name[7] != '-') return;
    const int index = static_cast<int>(field_index);
    if (type < 0 && equals_ignoring_case(name, "Content-Type")) type = index;
    if (disposition < 0 && equals_ignoring_case(name, "Content-Disposition")) disposition = index;
    if (encoding < 0 && equals_ignoring_case(name, "Content-Transfer-Encoding")) encoding = index;
}

void ContentFields::apply_to(Part& part, std::string_view whole) {
    const auto value = [&](int index) {
        return part.fields[static_cast<std::size_t>(index)].value.of(whole);
    };
    if (type >= 0) {
        if (!read_content_type(value(type), part.type, part.subtype)) {
            part.type = "text";
            part.subtype = "plain";
        }
        std::vector<Parameter> raw = raw_parameters(value(type));
        if (part.is_multipart()) {
            part.parameters = join_parameters(raw);
            boundary = read_boundary(raw, part.parameters);
        } else {
            part.parameters = join_parameters(std::move(raw));
        }
    }
    if (disposition >= 0) {
        std::size_t at = 0;
        part.disposition = read_token(value(disposition), at);
        part.disposition_parameters = join_parameters(raw_parameters(value(disposition)));
    }
    // RFC 2045 section 6.4: a multipart is never encoded as a whole.
    if (encoding >= 0 && !part.is_multipart()) part.encoding = read_encoding(value(encoding));
}

}  // namespace postern::mime

#include "gateway/delivery/encode_binary.h"

#include "protocols/mime/message.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/line_check.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace postern::delivery {

namespace {

constexpr std::size_t bytes_a_line = 57;  // 76 characters, RFC 2045 section 6.8
constexpr const char* field_name = "Content-Transfer-Encoding";

struct Edit {
    mime::Range range;
    std::string text;
};

std::string encode_body(std::string_view body) {
    std::string out;
    out.reserve(body.size() / 3 * 4 + body.size() / bytes_a_line * 2 + 8);
    for (std::size_t i = 0; i < body.size(); i += bytes_a_line) {
        if (i != 0) out += "\r\n";
        out += wire::base64_encode(body.substr(i, bytes_a_line));
    }
    return out;
}

void edit_part(const mime::Part& part, std::string_view whole, std::vector<Edit>& edits) {
    const auto* field = mime::find_field(part, whole, field_name);
    if (field == nullptr) return;
    const auto value = mime::header_text(part, whole, field_name);
    if (!wire::equals_ignoring_case(value, "binary")) return;
    const bool container = !part.children.empty() || part.is_multipart() || part.is_message();
    edits.push_back(
        {field->line, std::string(field_name) + (container ? ": 8bit\r\n" : ": base64\r\n")});
    if (container) return;
    const bool root = part.parent < 0;
    edits.push_back({part.body, encode_body(part.body.of(whole)) + (root ? "\r\n" : "")});
}

std::string with_edits(std::string_view whole, std::vector<Edit> edits) {
    std::sort(edits.begin(), edits.end(),
              [](const Edit& a, const Edit& b) { return a.range.begin < b.range.begin; });
    std::string out;
    std::size_t done = 0;
    for (const Edit& edit : edits) {
        out.append(whole.substr(done, edit.range.begin - done)).append(edit.text);
        done = edit.range.end;
    }
    return out.append(whole.substr(done));
}

}  // namespace

Result<std::string> encode_binary(std::string message) {
    const auto parsed = mime::parse(message);
    std::vector<Edit> edits;
    for (const auto& part : parsed.parts) edit_part(part, message, edits);
    std::string out = edits.empty() ? std::move(message) : with_edits(message, std::move(edits));
    if (!out.ends_with("\r\n")) out += "\r\n";
    wire::LineCheck lines(out.size() + 2);
    lines.read(out);
    lines.finish();
    const bool clean =
        lines.flaw() == wire::DotUnstuffer::Flaw::none && out.find('\0') == std::string::npos;
    if (!clean) {
        return Error{Errc::invalid, "bare line ends or NUL outside of the parts marked as binary"};
    }
    return out;
}

}  // namespace postern::delivery

#include "gateway/delivery/encode_binary.h"

#include "protocols/mime/message.h"
#include "protocols/mime/transfer_encode.h"
#include "protocols/wire/line_check.h"
#include "protocols/wire/text.h"

#include <string_view>
#include <vector>

namespace postern::delivery {

namespace {

constexpr const char* field_name = "Content-Transfer-Encoding";

void edit_part(const mime::Part& part, std::string_view whole, std::vector<mime::Edit>& edits) {
    const auto* field = mime::find_field(part, whole, field_name);
    if (field == nullptr) return;
    const auto value = mime::header_text(part, whole, field_name);
    if (!wire::equals_ignoring_case(value, "binary")) return;
    const bool container = !part.children.empty() || part.is_multipart() || part.is_message();
    edits.push_back(
        {field->line, std::string(field_name) + (container ? ": 8bit\r\n" : ": base64\r\n")});
    if (container) return;
    const bool root = part.parent < 0;
    edits.push_back(
        {part.body, mime::encode_base64_lines(part.body.of(whole)) + (root ? "\r\n" : "")});
}

}  // namespace

std::string encode_binary_parts(std::string message) {
    const auto parsed = mime::parse(message);
    std::vector<mime::Edit> edits;
    for (const auto& part : parsed.parts) edit_part(part, message, edits);
    return edits.empty() ? std::move(message) : mime::with_edits(message, std::move(edits));
}

Result<std::string> encode_binary(std::string message) {
    std::string out = encode_binary_parts(std::move(message));
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

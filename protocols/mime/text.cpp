#include "protocols/mime/charset.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/header.h"
#include "protocols/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr std::size_t sniffed_bytes = 1024;  // as browsers look for <meta charset>
constexpr std::string_view charset_key = "charset=";

// The charset that an HTML page names in its head; empty: none.
std::string_view meta_charset(std::string_view html) {
    html = html.substr(0, sniffed_bytes);
    for (std::size_t at = 0; at + charset_key.size() < html.size(); ++at) {
        if (wire::to_lower(html[at]) != 'c') continue;
        if (!equals_ignoring_case(html.substr(at, charset_key.size()), charset_key)) continue;
        at += charset_key.size();
        while (at < html.size() && (html[at] == '"' || html[at] == '\'' || is_space(html[at]))) {
            ++at;
        }
        const std::size_t end = html.find_first_of("\"'>; \t\r\n/", at);
        return html.substr(at, end == std::string_view::npos ? html.size() - at : end - at);
    }
    return {};
}

std::string convert(const Part& part, std::string_view bytes) {
    const std::string* charset = find_parameter(part.parameters, "charset");
    if (charset != nullptr) return to_utf8(bytes, *charset);
    const bool sniff = part.subtype == "html" && !is_ascii(bytes);
    return to_utf8(bytes, sniff ? meta_charset(bytes) : std::string_view());
}

}  // namespace

std::string decoded_text(const Part& part, std::string_view whole, std::size_t max_bytes) {
    const std::string_view body = part.body.of(whole);
    std::string text;
    if (part.encoding == Encoding::identity || part.encoding == Encoding::unknown) {
        text = convert(part, body.substr(0, max_bytes));
    } else {
        text = convert(part, decode_content(body, part.encoding, max_bytes));
    }
    text.resize(utf8_prefix(text, max_bytes).size());
    return text;
}

}  // namespace postern::mime

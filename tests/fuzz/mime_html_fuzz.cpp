// HTML as a sender may write it: bounds hold, and UTF-8 in is UTF-8 out.
#include "protocols/mime/charset.h"
#include "protocols/mime/html.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace postern::mime;

void require(bool holds) {
    if (!holds) std::abort();
}

void check(std::string_view html, std::size_t max_text_bytes) {
    const HtmlText out = extract_html(html, max_text_bytes);
    require(out.text.size() <= max_text_bytes && is_utf8(out.text));
    require(!out.text.starts_with(' ') && !out.text.ends_with(' '));
    require(out.text.find("  ") == std::string::npos);
    require(out.hidden.size() <= max_html_hidden_bytes && is_utf8(out.hidden));
    require(out.links.size() <= max_html_links && out.links.size() <= out.link_count);
    require(out.image_urls.size() <= max_html_links);
    for (const Link& link : out.links) {
        require(link.url.size() <= max_html_url_bytes && is_utf8(link.url));
        require(link.text.size() <= max_html_link_text_bytes && is_utf8(link.text));
    }
    const std::string preview = html_preview(html, max_text_bytes);
    require(out.text == preview);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    extract_html(bytes, size);
    const std::string html = repair_utf8(bytes);
    check(html, 4 * html.size());
    check(html, size == 0 ? 0 : data[0] % 32);
    return 0;
}

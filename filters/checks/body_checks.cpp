#include "filters/checks/check.h"
#include "filters/features/ascii.h"
#include "filters/features/url.h"

#include <algorithm>

namespace postern::filters {

namespace {

constexpr std::uint32_t min_hidden_characters = 20;
constexpr std::uint32_t min_tiny_characters = 20;
constexpr std::uint32_t min_zero_width_characters = 3;
constexpr std::uint32_t min_broken_words = 3;
constexpr std::size_t max_image_mail_text_bytes = 120;
constexpr std::size_t min_shouted_body_letters = 200;

std::string counted(std::uint32_t count, const char* what) {
    return std::to_string(count) + " " + what;
}

Finding html_only(const CheckInput& input) {
    if (input.content.html_parts == 0 || input.content.plain_parts != 0) return std::nullopt;
    return "no text/plain beside the HTML";
}

Finding html_hidden_text(const CheckInput& input) {
    const mime::HtmlText& html = input.content.html;
    if (html.hidden_characters < min_hidden_characters) return std::nullopt;
    return counted(html.hidden_characters, "hidden characters: ") + html.hidden;
}

Finding html_tiny_font(const CheckInput& input) {
    const std::uint32_t tiny = input.content.html.tiny_font_characters;
    if (tiny < min_tiny_characters) return std::nullopt;
    return counted(tiny, "characters too small to read");
}

Finding zero_width_text(const CheckInput& input) {
    const std::uint32_t count = input.content.html.zero_width_characters;
    if (count < min_zero_width_characters) return std::nullopt;
    return counted(count, "invisible characters between the letters");
}

Finding html_broken_words(const CheckInput& input) {
    const std::uint32_t count = input.content.html.broken_words;
    if (count < min_broken_words) return std::nullopt;
    return counted(count, "words with a tag in the middle");
}

Finding html_form(const CheckInput& input) {
    const std::uint32_t count = input.content.html.forms;
    return count == 0 ? Finding() : counted(count, "forms");
}

Finding html_script(const CheckInput& input) {
    const std::uint32_t count = input.content.html.scripts + input.content.html.iframes;
    return count == 0 ? Finding() : counted(count, "scripts or frames");
}

Finding web_bug(const CheckInput& input) {
    const std::uint32_t count = input.content.html.tiny_images;
    return count == 0 ? Finding() : counted(count, "images of one pixel");
}

Finding image_mail(const CheckInput& input) {
    const mime::HtmlText& html = input.content.html;
    if (html.remote_images + html.embedded_images == 0) return std::nullopt;
    if (trim(input.content.text).size() > max_image_mail_text_bytes) return std::nullopt;
    return counted(html.remote_images + html.embedded_images, "images and hardly any text");
}

bool reads_like_address(std::string_view text) {
    return starts_with_nocase(text, "http://") || starts_with_nocase(text, "https://") ||
           starts_with_nocase(text, "www.");
}

Finding link_mismatch(const CheckInput& input) {
    for (const mime::Link& link : input.content.html.links) {
        const std::string_view shown = trim(link.text);
        if (!reads_like_address(shown) || !reads_like_address(link.url)) continue;
        const Url shown_url = parse_url(shown.substr(0, shown.find(' ')));
        const Url target = parse_url(link.url);
        if (shown_url.host.empty() || target.host.empty()) continue;
        if (registered_domain(shown_url.host) == registered_domain(target.host)) continue;
        return shown_url.host + " leads to " + target.host;
    }
    return std::nullopt;
}

template <class Match>
Finding first_url(const CheckInput& input, Match match) {
    for (const Url& url : input.content.urls) {
        if (match(url)) return url.text;
    }
    return std::nullopt;
}

Finding url_is_ip(const CheckInput& input) {
    return first_url(input, [](const Url& url) { return url.is_ip; });
}

Finding url_has_user(const CheckInput& input) {
    return first_url(input, [](const Url& url) { return url.has_user; });
}

Finding url_odd_port(const CheckInput& input) {
    return first_url(input, [](const Url& url) {
        return !url.port.empty() && url.port != "80" && url.port != "443" && url.port != "8080" &&
               url.port != "21";
    });
}

Finding empty_body(const CheckInput& input) {
    if (!trim(input.content.text).empty() || !input.content.attachments.empty())
        return std::nullopt;
    if (input.content.html.remote_images + input.content.html.embedded_images != 0)
        return std::nullopt;
    return "nothing to read";
}

Finding body_all_caps(const CheckInput& input) {
    const std::string& text = input.content.text;
    std::size_t letters = 0;
    std::size_t capitals = 0;
    for (const char c : text) {  // two comparisons each and no branch
        letters += static_cast<unsigned char>((c | 0x20) - 'a') < 26 ? 1 : 0;
        capitals += static_cast<unsigned char>(c - 'A') < 26 ? 1 : 0;
    }
    if (letters < min_shouted_body_letters || capitals * 10 < letters * 8) {
        return std::nullopt;
    }
    return std::to_string(capitals * 100 / letters) + " % of the letters are capitals";
}

}  // namespace

std::vector<Check> body_checks() {
    return {
        {"HTML_ONLY", "mime", "HTML without a plain text beside it", 0.5, html_only},
        {"HTML_HIDDEN_TEXT", "body", "Text that the reader can not see", 1.2, html_hidden_text},
        {"HTML_TINY_FONT", "body", "Text too small to read", 1.0, html_tiny_font},
        {"ZERO_WIDTH_TEXT", "body", "Invisible characters in the text", 1.2, zero_width_text},
        {"HTML_BROKEN_WORDS", "body", "Words broken up by tags", 1.2, html_broken_words},
        {"HTML_FORM", "body", "A form to fill in", 0.8, html_form},
        {"HTML_SCRIPT", "body", "A script or frame", 0.8, html_script},
        {"WEB_BUG", "body", "An image of one pixel tells when it is read", 0.4, web_bug},
        {"IMAGE_MAIL", "body", "Images and hardly any text", 0.8, image_mail},
        {"LINK_MISMATCH", "urls", "A link shows one site and leads to another", 1.5, link_mismatch},
        {"URL_IS_IP", "urls", "A link to a number instead of a name", 1.2, url_is_ip},
        {"URL_HAS_USER", "urls", "A link with a disguise before an @", 1.5, url_has_user},
        {"URL_ODD_PORT", "urls", "A link to an unusual port", 0.4, url_odd_port},
        {"EMPTY_BODY", "body", "Nothing to read", 0.5, empty_body},
        {"BODY_ALL_CAPS", "body", "The text shouts", 1.0, body_all_caps},
    };
}

}  // namespace postern::filters

#include "filters/features/ascii.h"
#include "filters/features/feature_sources.h"
#include "filters/features/words.h"

#include <algorithm>
#include <string>

namespace postern::filters {

namespace {

constexpr std::size_t max_read_text_bytes = 24 * 1024;  // folding non-Latin text is dear
constexpr std::size_t max_body_words = 1200;
constexpr std::size_t max_hidden_words = 60;
constexpr std::size_t max_feature_urls = 40;
constexpr std::size_t max_path_words = 8;
constexpr std::size_t max_listed_types = 12;
constexpr std::size_t max_feature_attachments = 20;

std::string with_step(const char* what, std::size_t count) {
    return std::string(what) + " " + step_of(count);
}

// Cut at white space, so that the last word is whole whatever follows.
std::string_view readable(std::string_view text) {
    if (text.size() <= max_read_text_bytes) return text;
    text = text.substr(0, max_read_text_bytes);
    const std::size_t end = text.find_last_of(" \n\r\t");
    return end == std::string_view::npos ? text : text.substr(0, end);
}

void add_text(std::string_view text, TokenSink& sink) {
    sink.begin_text();
    std::size_t words = 0;
    thread_local std::string folded;  // its memory is for the next one
    fold_words(readable(text), folded);
    for_each_word(folded, [&](std::string_view word) {
        if (word.size() <= max_plain_word_bytes) {
            sink.add_running("", word);
        } else {
            sink.add_running("", with_step("long", word.size()));
        }
        return ++words < max_body_words;
    });
    sink.add("shape", with_step("words", words));
}

void add_hidden(std::string_view text, TokenSink& sink) {
    std::size_t words = 0;
    for_each_word(fold_words(text), [&](std::string_view word) {
        sink.add("hidden", word.substr(0, max_plain_word_bytes));
        return ++words < max_hidden_words;
    });
}

// What a link claims to lead to, when its text is an address itself.
bool misleads(const mime::Link& link) {
    std::vector<std::string_view> shown;
    find_urls(link.text, 1, shown);
    if (shown.empty()) return false;
    const Url claimed = parse_url(shown.front());
    const Url real = parse_url(link.url);
    return !claimed.host.empty() && !real.host.empty() &&
           registered_domain(claimed.host) != registered_domain(real.host);
}

void add_html(const Content& content, TokenSink& sink) {
    if (content.html_parts == 0) return;
    const mime::HtmlText& html = content.html;
    sink.add("html", with_step("tags", html.tags));
    sink.add("html", with_step("links", html.link_count));
    sink.add("html", with_step("remote images", html.remote_images));
    sink.add("html", with_step("tiny images", html.tiny_images));
    sink.add("html", with_step("embedded images", html.embedded_images));
    sink.add("html", with_step("hidden", html.hidden_characters));
    sink.add("html", with_step("tiny font", html.tiny_font_characters));
    sink.add("html", with_step("zero width", html.zero_width_characters));
    sink.add("html", with_step("comments", html.comments));
    sink.add("html", with_step("broken words", html.broken_words));
    if (html.forms > 0) sink.add("html", "form");
    if (html.scripts > 0) sink.add("html", "script");
    if (html.iframes > 0) sink.add("html", "frame");
    if (content.html_bytes > 0 && content.plain_bytes == 0) sink.add("html", "only");
    if (std::any_of(html.links.begin(), html.links.end(), misleads)) {
        sink.add("html", "misleading link");
    }
    add_hidden(html.hidden, sink);
}

void add_url(const Url& url, TokenSink& sink) {
    sink.begin_text();
    sink.add("url", url.scheme + ":");
    if (!url.host.empty()) {
        sink.add_running("url", url.host);
        const std::string_view registered = registered_domain(url.host);
        if (registered.size() != url.host.size()) sink.add_running("url", registered);
        const std::size_t dot = url.host.rfind('.');
        if (dot != std::string::npos && !url.is_ip) sink.add("url", url.host.substr(dot));
    }
    if (url.is_ip) sink.add("url", "number as host");
    if (url.has_user) sink.add("url", "user");
    if (!url.port.empty()) sink.add("url", "port " + url.port.substr(0, 5));
    std::size_t words = 0;
    for_each_word(to_lower(url.path), [&](std::string_view word) {
        const bool code = word.size() > 16 || std::count_if(word.begin(), word.end(), is_digit) > 3;
        sink.add_running("url", code ? "/" + shape_of(word) : std::string(word));
        return ++words < max_path_words;
    });
}

void add_urls(const Content& content, TokenSink& sink) {
    const std::size_t count = std::min(content.urls.size(), max_feature_urls);
    for (std::size_t i = 0; i < count; ++i) add_url(content.urls[i], sink);
    sink.add("shape", with_step("urls", content.urls.size()));
}

void add_parts(const Content& content, TokenSink& sink) {
    std::string all;
    for (std::size_t i = 0; i < std::min(content.types.size(), max_listed_types); ++i) {
        sink.add("part", content.types[i]);
        all += content.types[i] + " ";
    }
    sink.add("parts", all);
    const std::size_t count = std::min(content.attachments.size(), max_feature_attachments);
    for (std::size_t i = 0; i < count; ++i) {
        const Attachment& each = content.attachments[i];
        sink.begin_text();
        sink.add("attachment", "type " + each.type);
        sink.add("attachment", "." + each.extension);
        for_each_word(fold_words(each.name), [&](std::string_view word) {
            sink.add_running("attachment", word.substr(0, max_plain_word_bytes));
            return true;
        });
    }
}

}  // namespace

void add_body_tokens(const Content& content, TokenSink& sink) {
    add_parts(content, sink);
    add_html(content, sink);
    add_urls(content, sink);
    add_text(content.text, sink);
}

}  // namespace postern::filters

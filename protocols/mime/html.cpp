#include "protocols/mime/html.h"

#include "protocols/mime/charset.h"
#include "protocols/mime/html_entities.h"
#include "protocols/mime/html_output.h"
#include "protocols/mime/html_style.h"
#include "protocols/mime/html_style_stack.h"
#include "protocols/mime/html_tag.h"
#include "protocols/mime/lexer.h"

#include <algorithm>

namespace postern::mime {
namespace {

bool is_word_byte(char c) {
    return is_alpha(c) || is_digit(c) || (static_cast<unsigned char>(c) & 0x80) != 0;
}

class HtmlReader {
public:
    HtmlReader(std::string_view html, std::size_t max_text_bytes, bool stop_when_full)
        : html_(html), output_(out_, max_text_bytes), stop_when_full_(stop_when_full) {}
    HtmlReader(const HtmlReader&) = delete;

    HtmlText run() {
        while (at_ < html_.size() && !(stop_when_full_ && output_.full())) {
            const char c = html_[at_];
            if (c == '<') {
                read_markup();
            } else if (c == '&') {
                read_reference();
            } else {
                std::size_t end = at_;
                while (end < html_.size() && html_[end] != '<' && html_[end] != '&') ++end;
                output_.put_text(html_.substr(at_, end - at_));
                at_ = end;
            }
        }
        end_link();
        out_.truncated = output_.full();
        return std::move(out_);
    }

private:
    void read_markup();
    void read_comment();
    void read_element();
    void read_reference();
    void skip_raw_text(std::string_view name);
    void note_element(const Tag& tag);
    void note_image(const Tag& tag);
    void note_broken_word(std::size_t begin);
    void add_image(std::string_view source);
    void add_link(std::string_view url, bool with_text);
    void end_link();

    std::string_view html_;
    std::size_t at_ = 0;
    HtmlText out_;
    HtmlOutput output_;
    StyleStack styles_;
    bool stop_when_full_;
    std::size_t open_link_ = 0;
    bool in_link_ = false;
};

void HtmlReader::read_markup() {
    if (html_.substr(at_, 4) == "<!--") {
        read_comment();
    } else if (at_ + 1 < html_.size() && (html_[at_ + 1] == '!' || html_[at_ + 1] == '?')) {
        if (equals_ignoring_case(html_.substr(at_, 9), "<!doctype")) styles_.note_doctype();
        const std::size_t end = html_.find('>', at_);
        at_ = end == std::string_view::npos ? html_.size() : end + 1;
    } else if (starts_tag(html_, at_)) {
        read_element();
    } else {
        output_.put_run(html_.substr(at_++, 1));
    }
}

void HtmlReader::read_comment() {
    const std::size_t begin = at_;
    ++out_.comments;
    // "<!-->" is a whole comment: the end may overlap the start.
    const std::size_t end = html_.find("-->", at_ + 2);
    at_ = end == std::string_view::npos ? html_.size() : end + 3;
    note_broken_word(begin);
}

void HtmlReader::note_broken_word(std::size_t begin) {
    if (begin > 0 && at_ < html_.size() && is_word_byte(html_[begin - 1]) &&
        is_word_byte(html_[at_])) {
        ++out_.broken_words;
    }
}

void HtmlReader::read_element() {
    const std::size_t begin = at_;
    Tag tag;
    at_ = read_tag(html_, at_, tag);
    ++out_.tags;
    if (tag.is(Tag::separates_words)) {
        output_.put_space();
    } else if (!tag.is(Tag::stands_in_words)) {
        note_broken_word(begin);
    }
    if (tag.closing) {
        if (tag.element == Tag::Element::link) end_link();
        styles_.close(tag);
        output_.set_style(styles_.current());
        return;
    }
    note_element(tag);
    if (!tag.is(Tag::has_no_content)) {
        styles_.open(tag);
        output_.set_style(styles_.current());
    }
    const bool raw = tag.element == Tag::Element::script || tag.element == Tag::Element::style ||
                     tag.element == Tag::Element::title;
    if (raw) skip_raw_text(tag.name);
}

void HtmlReader::note_element(const Tag& tag) {
    switch (tag.element) {
        case Tag::Element::link:
            end_link();
            if (!tag.href.empty()) add_link(tag.href, true);
            break;
        case Tag::Element::area:
            if (!tag.href.empty()) add_link(tag.href, false);
            break;
        case Tag::Element::form:
            ++out_.forms;
            if (!tag.action.empty()) add_link(tag.action, false);
            break;
        case Tag::Element::image:
            note_image(tag);
            break;
        case Tag::Element::script:
            ++out_.scripts;
            break;
        case Tag::Element::style:
        case Tag::Element::sheet:
            styles_.note_sheet();
            break;
        case Tag::Element::frame:
            ++out_.iframes;
            break;
        default:
            break;
    }
    if (!tag.background.empty()) add_image(tag.background);
}

void HtmlReader::note_image(const Tag& tag) {
    add_image(tag.src);
    const auto tiny = [](std::string_view length) {
        const std::optional<double> px = parse_length_px(length, 100);
        return px && *px <= 1 && length.find('%') == std::string_view::npos;
    };
    if (tiny(tag.width) || tiny(tag.height)) ++out_.tiny_images;
    if (tag.alt.empty()) return;
    output_.put_text(decode_entities(tag.alt));
    output_.put_space();
}

std::string clean_url(std::string_view raw) {
    std::string url = decode_entities(trim(raw));
    // Browsers leave these out wherever they stand.
    std::erase_if(url, [](char c) { return c == '\r' || c == '\n' || c == '\t'; });
    const std::string_view trimmed = utf8_prefix(trim(url), max_html_url_bytes);
    return std::string(trimmed);
}

void HtmlReader::add_image(std::string_view source) {
    std::string url = clean_url(source);
    const std::string_view view = url;
    if (equals_ignoring_case(view.substr(0, 4), "cid:") ||
        equals_ignoring_case(view.substr(0, 5), "data:")) {
        ++out_.embedded_images;
    } else if (equals_ignoring_case(view.substr(0, 4), "http") || view.starts_with("//")) {
        ++out_.remote_images;
        if (out_.image_urls.size() < max_html_links) out_.image_urls.push_back(std::move(url));
    }
}

void HtmlReader::add_link(std::string_view url, bool with_text) {
    ++out_.link_count;
    if (out_.links.size() >= max_html_links) return;
    out_.links.push_back({clean_url(url), {}});
    if (!with_text) return;
    open_link_ = out_.links.size() - 1;
    output_.begin_link();
    in_link_ = true;
}

void HtmlReader::end_link() {
    if (in_link_) out_.links[open_link_].text = output_.end_link();
    in_link_ = false;
}

void HtmlReader::skip_raw_text(std::string_view name) {
    while (at_ < html_.size()) {
        const std::size_t close = html_.find("</", at_);
        if (close == std::string_view::npos) break;
        at_ = close + 2;
        if (equals_ignoring_case(html_.substr(at_, name.size()), name)) {
            at_ = close;
            return;
        }
    }
    at_ = html_.size();
}

void HtmlReader::read_reference() {
    char32_t code_point = 0;
    const std::size_t size = read_entity(html_.substr(at_), false, code_point);
    if (size == 0) {
        output_.put_run(html_.substr(at_++, 1));
        return;
    }
    at_ += size;
    std::string bytes;
    append_utf8(bytes, code_point);
    output_.put_text(bytes);
}

}  // namespace

HtmlText extract_html(std::string_view utf8, std::size_t max_text_bytes) {
    return HtmlReader(utf8, max_text_bytes, false).run();
}

std::string html_preview(std::string_view utf8, std::size_t max_text_bytes) {
    return HtmlReader(utf8, max_text_bytes, true).run().text;
}

}  // namespace postern::mime

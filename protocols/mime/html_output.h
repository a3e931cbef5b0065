// Where the text of an HTML document goes: white space collapsed, invisible characters out, hidden
// text apart. Internal to protocols/mime.
#pragma once

#include "protocols/mime/charset.h"
#include "protocols/mime/html.h"
#include "protocols/mime/html_style.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mime {

// Appends text with white space collapsed to single spaces, none at the ends.
class Collapser {
public:
    Collapser(std::string& out, std::size_t max_bytes) : out_(&out), max_bytes_(max_bytes) {}

    bool full() const { return full_; }
    bool ends_in_ascii() const {
        return out_->empty() || space_ || (static_cast<unsigned char>(out_->back()) & 0x80) == 0;
    }
    void space() { space_ = true; }
    void put(std::string_view piece) {
        if (full_) return;
        if (space_ && !out_->empty()) *out_ += ' ';
        space_ = false;
        const std::size_t room = max_bytes_ - std::min(max_bytes_, out_->size());
        *out_ += utf8_prefix(piece, room);
        full_ = piece.size() > room;
        if (full_ && out_->ends_with(' ')) out_->pop_back();
    }

private:
    std::string* out_;
    std::size_t max_bytes_;
    bool space_ = false;
    bool full_ = false;
};

class HtmlOutput {
public:
    // Text goes into out.text, out.hidden and the counters.
    HtmlOutput(HtmlText& out, std::size_t max_text_bytes)
        : out_(out),
          visible_(out.text, max_text_bytes),
          hidden_(out.hidden, max_html_hidden_bytes),
          link_text_(link_buffer_, max_html_link_text_bytes) {}
    HtmlOutput(const HtmlOutput&) = delete;
    HtmlOutput& operator=(const HtmlOutput&) = delete;

    bool full() const { return visible_.full(); }
    void set_style(const Style& style) {
        is_visible_ = style.visible();
        is_tiny_ = style.tiny();
    }

    void put_text(std::string_view text);
    void put_space();
    void put_run(std::string_view run);  // without white space

    void begin_link() { in_link_ = true; }
    std::string end_link();  // visible text since begin_link

private:
    HtmlText& out_;
    std::string link_buffer_;
    Collapser visible_;
    Collapser hidden_;
    Collapser link_text_;
    bool is_visible_ = true;
    bool is_tiny_ = false;
    bool in_link_ = false;
};

}  // namespace postern::mime

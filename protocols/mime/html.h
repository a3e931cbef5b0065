// HTML of a message to what a reader sees, in one pass: for filter features, search and previews.
//
// Not a browser: no style sheets, no layout. Tags, comments, scripts and styles vanish, block tags
// become a space, entities are decoded. What a sender hides from the eye is left out of `text` and
// counted. Never fails; cost is linear in the input, output is bounded by the limits below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

inline constexpr std::size_t max_html_links = 500;       // later ones are only counted
inline constexpr std::size_t max_html_url_bytes = 2048;  // longer ones are cut
inline constexpr std::size_t max_html_link_text_bytes = 256;
inline constexpr std::size_t max_html_hidden_bytes = 4096;

struct Link {
    std::string url;   // href as written, entities decoded, white space trimmed
    std::string text;  // what the reader sees on it, white space collapsed
};

struct HtmlText {
    std::string text;         // visible, UTF-8, runs of white space collapsed to one space
    std::string hidden;       // start of what is there but not visible (see hidden_characters)
    std::vector<Link> links;  // <a href>, <area href> and <form action>, in order
    std::vector<std::string> image_urls;  // remote <img src>; bounded by max_html_links
    std::uint32_t link_count = 0;
    std::uint32_t hidden_characters = 0;  // display:none, visibility:hidden, same colours, size 0
    std::uint32_t tiny_font_characters = 0;  // under 5 px; these are also in hidden when under 3 px
    std::uint32_t zero_width_characters = 0;  // left out of every text: they only break words
    std::uint32_t remote_images = 0;
    std::uint32_t tiny_images = 0;      // width or height of at most 1: web bugs
    std::uint32_t embedded_images = 0;  // cid: and data:
    std::uint32_t forms = 0;
    std::uint32_t scripts = 0;
    std::uint32_t iframes = 0;  // also object, embed, applet
    std::uint32_t comments = 0;
    std::uint32_t tags = 0;
    std::uint32_t broken_words = 0;  // a tag or comment in the middle of a word, not a style change
    bool truncated = false;          // text reached max_text_bytes; the counts go on
};

// utf8: see decoded_text(); other bytes pass through unchanged.
HtmlText extract_html(std::string_view utf8, std::size_t max_text_bytes);

// Only the start of the visible text; stops reading when it has max_text_bytes of it.
std::string html_preview(std::string_view utf8, std::size_t max_text_bytes);

}  // namespace postern::mime

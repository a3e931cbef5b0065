// One tag of HTML and the attributes that matter to us. Internal to protocols/mime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mime {

// Views into the document; values raw, entities not decoded. The first of a repeated attribute
// counts.
struct Tag {
    // Of the element that it names; unknown ones have none.
    enum Traits : unsigned {
        separates_words = 1,  // a block
        has_no_content = 2,   // and no closing tag: <br>
        stands_in_words = 4,  // <b>, <font>
        closes_its_like = 8,  // its start ends one of the same name before it: <p>, <li>, <td>
    };
    bool is(Traits trait) const { return (traits & trait) != 0; }

    // Those that the reader treats in a way of their own.
    enum class Element : std::uint8_t {
        other,
        area,
        body,
        cell,
        form,
        frame,
        image,
        link,
        row,
        script,
        sheet,
        style,
        table,
        title
    };

    std::string name;  // lower case, at most max_tag_name_bytes
    unsigned traits = 0;
    Element element = Element::other;
    bool closing = false;
    bool hidden = false;  // attribute without value
    bool has_class = false;
    std::string_view href, src, style, color, bgcolor, background, width, height, alt, action, text;
};

inline constexpr std::size_t max_tag_name_bytes = 32;

// html[at] is '<' and a tag name or '/' and a tag name follow: reads up to and past '>'. An
// unfinished tag takes the rest of the document, as in browsers.
std::size_t read_tag(std::string_view html, std::size_t at, Tag& tag);
bool starts_tag(std::string_view html, std::size_t at);

}  // namespace postern::mime

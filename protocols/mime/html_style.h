// How inline style makes text of HTML look: enough of CSS to see what is hidden. Internal to
// protocols/mime.
#pragma once

#include "protocols/mime/html_tag.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::mime {

inline constexpr double tiny_font_px = 5;
inline constexpr double invisible_font_px = 3;

// Inherited from element to element.
struct Style {
    std::uint32_t color = 0x000000;
    std::uint32_t background = 0xFFFFFF;
    double font_px = 16;
    bool hidden = false;             // display:none and its like
    bool color_chosen = false;       // not the default: unreadable by accident is not hidden
    bool background_unsure = false;  // an image or a style sheet may have painted it

    bool same_colors() const;  // and on purpose
    bool tiny() const { return font_px < tiny_font_px; }
    bool visible() const { return !hidden && font_px >= invisible_font_px && !same_colors(); }
    bool operator==(const Style&) const = default;
};

// Style inside of an element with that tag. sheets: the document has style sheets, so that a class
// may mean anything.
Style style_inside(const Style& outside, const Tag& tag, bool sheets);

// "#fff", "#ffffff", "rgb(1, 2, 3)", "white"; without '#' too, as in bgcolor=ffffff.
std::optional<std::uint32_t> parse_color(std::string_view text);
// Pixels of a CSS length; relative ones by parent_px.
std::optional<double> parse_length_px(std::string_view text, double parent_px);

}  // namespace postern::mime

#include "protocols/mime/html_style.h"

#include "protocols/mime/lexer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace postern::mime {
namespace {

constexpr int same_channel = 8;  // closer than this in every channel: the eye sees one colour

struct NamedColor {
    std::string_view name;
    std::uint32_t value;
};
constexpr NamedColor named_colors[] = {
    {"white", 0xFFFFFF},  {"black", 0x000000},   {"red", 0xFF0000},       {"green", 0x008000},
    {"blue", 0x0000FF},   {"yellow", 0xFFFF00},  {"gray", 0x808080},      {"grey", 0x808080},
    {"silver", 0xC0C0C0}, {"maroon", 0x800000},  {"navy", 0x000080},      {"purple", 0x800080},
    {"olive", 0x808000},  {"teal", 0x008080},    {"lime", 0x00FF00},      {"aqua", 0x00FFFF},
    {"cyan", 0x00FFFF},   {"fuchsia", 0xFF00FF}, {"magenta", 0xFF00FF},   {"orange", 0xFFA500},
    {"snow", 0xFFFAFA},   {"ivory", 0xFFFFF0},   {"whitesmoke", 0xF5F5F5}};

std::optional<double> read_number(std::string_view text, std::size_t& at) {
    const bool negative = at < text.size() && text[at] == '-';
    if (negative) ++at;
    double value = 0;
    double scale = 0;
    const std::size_t start = at;
    for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && scale == 0)); ++at) {
        if (text[at] == '.') {
            scale = 1;
        } else if (value < 1e9) {
            value = value * 10 + (text[at] - '0');
            scale *= 10;
        }
    }
    if (at == start) return std::nullopt;
    if (scale > 1) value /= scale;
    return negative ? -value : value;
}

std::optional<std::uint32_t> parse_hex(std::string_view digits) {
    if (digits.size() != 3 && digits.size() != 6) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : digits) {
        const int nibble = hex_value(c);
        if (nibble < 0) return std::nullopt;
        value = value << 4 | static_cast<std::uint32_t>(nibble);
        if (digits.size() == 3) value = value << 4 | static_cast<std::uint32_t>(nibble);
    }
    return value;
}

// "rgb(1, 2, 3)" and "rgba(...)"; the transparency is not looked at.
std::optional<std::uint32_t> parse_rgb(std::string_view text) {
    std::uint32_t value = 0;
    std::size_t at = std::min(text.find('('), text.size() - 1) + 1;
    for (int channel = 0; channel < 3; ++channel) {
        while (at < text.size() && (is_space(text[at]) || text[at] == ',')) ++at;
        const std::optional<double> number = read_number(text, at);
        if (!number) return std::nullopt;
        value = value << 8 | static_cast<std::uint32_t>(std::clamp(*number, 0.0, 255.0));
    }
    return value;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// What of a declaration list hides by several properties together.
struct Box {
    bool zero_size = false;
    bool clipped = false;
};

void set_color(Style& style, std::string_view value) {
    const std::optional<std::uint32_t> color = parse_color(value);
    if (!color) return;
    style.color = *color;
    style.color_chosen = true;
}

void set_background(Style& style, std::string_view value) {
    if (contains(value, "url(") || contains(value, "gradient")) style.background_unsure = true;
    const std::size_t end = value.starts_with("rgb") ? std::string_view::npos : value.find(' ');
    if (const auto color = parse_color(value.substr(0, end))) {
        style.background = *color;
        style.background_unsure = false;
    }
}

void set_length_property(Style& style, Box& box, std::string_view name, std::string_view value) {
    const std::optional<double> length = parse_length_px(value, style.font_px);
    if (!length) return;
    if (name == "font-size") style.font_px = *length;
    const bool size = name == "height" || name == "width" || name == "max-height" ||
                      name == "max-width" || name == "line-height";
    if (size && *length == 0) box.zero_size = true;
    const bool shift = name == "text-indent" || name == "left" || name == "top" ||
                       name == "margin-left" || name == "margin-top";
    if (shift && *length < -500) style.hidden = true;
}

void apply_declaration(Style& style, Box& box, std::string_view name, std::string_view value) {
    if (name == "display") {
        if (value == "none") style.hidden = true;
    } else if (name == "visibility") {
        style.hidden = value == "hidden" || value == "collapse";
    } else if (name == "color") {
        if (value == "transparent") style.hidden = true;
        set_color(style, value);
    } else if (name == "background" || name == "background-color" || name == "background-image") {
        set_background(style, value);
    } else if (name == "opacity") {
        std::size_t at = 0;
        if (read_number(value, at).value_or(1) < 0.05) style.hidden = true;
    } else if (name == "mso-hide") {
        if (value == "all") style.hidden = true;
    } else if (name == "overflow") {
        box.clipped = value == "hidden";
    } else {
        set_length_property(style, box, name, value);
    }
}

void apply_css(Style& style, std::string_view css) {
    const std::string lowered = lower_case(css);
    std::string_view rest = lowered;
    Box box;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(';'), rest.size());
        const std::string_view declaration = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t colon = declaration.find(':');
        if (colon == std::string_view::npos) continue;
        std::string_view value = declaration.substr(colon + 1);
        value = trim(value.substr(0, value.find('!')));
        apply_declaration(style, box, trim(declaration.substr(0, colon)), value);
    }
    if (box.zero_size && box.clipped) style.hidden = true;
}

}  // namespace

bool Style::same_colors() const {
    if (background_unsure || !color_chosen) return false;
    for (int shift = 0; shift < 24; shift += 8) {
        const int a = static_cast<int>(color >> shift & 0xFF);
        const int b = static_cast<int>(background >> shift & 0xFF);
        if (std::abs(a - b) >= same_channel) return false;
    }
    return true;
}

std::optional<std::uint32_t> parse_color(std::string_view text) {
    text = trim(text);
    if (text.empty()) return std::nullopt;
    if (text.starts_with('#')) return parse_hex(text.substr(1));
    if (text.size() > 4 && equals_ignoring_case(text.substr(0, 3), "rgb")) return parse_rgb(text);
    for (const NamedColor& named : named_colors) {
        if (equals_ignoring_case(named.name, text)) return named.value;
    }
    return text.size() == 6 ? parse_hex(text) : std::nullopt;
}

std::optional<double> parse_length_px(std::string_view text, double parent_px) {
    std::size_t at = 0;
    text = trim(text);
    const std::optional<double> number = read_number(text, at);
    if (!number) return std::nullopt;
    const std::string_view unit = trim(text.substr(at));
    if (unit.starts_with("pt")) return *number * 4 / 3;
    if (unit.starts_with("em") || unit.starts_with("rem")) return *number * parent_px;
    if (unit.starts_with('%')) return *number * parent_px / 100;
    return *number;
}

Style style_inside(const Style& outside, const Tag& tag, bool sheets) {
    Style style = outside;
    if (tag.hidden) style.hidden = true;
    if (!tag.background.empty() || (sheets && tag.has_class)) style.background_unsure = true;
    const std::string_view color = tag.element == Tag::Element::body ? tag.text : tag.color;
    set_color(style, color);
    if (const auto parsed = parse_color(tag.bgcolor)) {
        style.background = *parsed;
        style.background_unsure = false;
    }
    // A link has a colour of its own.
    if (tag.element == Tag::Element::link && tag.color.empty()) style.color = 0x0000EE;
    if (!tag.style.empty()) apply_css(style, tag.style);
    return style;
}

}  // namespace postern::mime

#include "appliance/cli/sizes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace postern::cli {

namespace {

constexpr std::string_view units = "KMGTP";

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    double number = 0;
    const auto [rest, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    double factor = 1;
    if (!text.empty()) {
        const char letter =
            text[0] >= 'a' && text[0] <= 'z' ? static_cast<char>(text[0] - 32) : text[0];
        const auto unit = units.find(letter);
        if (unit != std::string_view::npos) {
            factor = std::pow(1024.0, static_cast<double>(unit + 1));
            text.remove_prefix(1);
            if (!text.empty() && text[0] == 'i') text.remove_prefix(1);
        }
        if (!text.empty() && (text[0] == 'B' || text[0] == 'b')) text.remove_prefix(1);
        if (!text.empty()) return std::nullopt;
    }
    const double bytes = std::floor(number * factor);
    if (bytes > std::pow(2.0, 62)) return std::nullopt;
    return static_cast<std::uint64_t>(bytes);
}

std::string size_text(std::uint64_t bytes) {
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit < units.size()) {
        value /= 1024;
        ++unit;
    }
    char text[32];
    if (unit == 0) {
        std::snprintf(text, sizeof text, "%llu B", static_cast<unsigned long long>(bytes));
    } else {
        std::snprintf(text, sizeof text, "%.1f %ciB", value, units[unit - 1]);
    }
    return text;
}

std::string padded(std::string text, std::size_t width, bool right) {
    if (text.size() >= width) return text;
    const std::string space(width - text.size(), ' ');
    return right ? space + text : text + space;
}

}  // namespace postern::cli

#include "gateway/log/read.h"

#include "protocols/wire/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace postern::logging {

namespace {

// A quoted value at the beginning of `rest`, which loses it. False: it has no end.
bool take_quoted(std::string_view& rest, std::string& value) {
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '"') {
        char c = rest.front();
        rest.remove_prefix(1);
        if (c == '\\' && !rest.empty()) {
            c = rest.front();
            rest.remove_prefix(1);
            const bool byte = c == 'x' && rest.size() >= 2 && wire::hex_value(rest[0]) >= 0 &&
                              wire::hex_value(rest[1]) >= 0;
            if (byte) {
                c = static_cast<char>(wire::hex_value(rest[0]) * 16 + wire::hex_value(rest[1]));
                rest.remove_prefix(2);
            }
        }
        value += c;
    }
    if (rest.empty()) return false;
    rest.remove_prefix(1);
    return true;
}

std::optional<Line> parse_text(std::string_view rest) {
    Line line;
    while (!rest.empty() && line.fields.size() < max_line_fields) {
        if (rest.front() == ' ') {
            rest.remove_prefix(1);
            continue;
        }
        const auto equals = rest.find('=');
        if (equals == std::string_view::npos || rest.find(' ') < equals) return std::nullopt;
        std::string key(rest.substr(0, equals));
        rest.remove_prefix(equals + 1);
        std::string value;
        if (rest.starts_with('"')) {
            if (!take_quoted(rest, value)) return std::nullopt;
        } else {
            const auto end = std::min(rest.find(' '), rest.size());
            value = rest.substr(0, end);
            rest.remove_prefix(end);
        }
        line.fields.emplace_back(std::move(key), std::move(value));
    }
    return line;
}

std::optional<Line> parse_json(std::string_view text) {
    // In order of appearance, so that a trace reads as the log does.
    const auto object = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!object.is_object() || !object.contains("time") || !object.contains("event")) {
        return std::nullopt;
    }
    Line line;
    for (const auto& [key, value] : object.items()) {
        if (line.fields.size() == max_line_fields) break;
        line.fields.emplace_back(key,
                                 value.is_string() ? value.get<std::string>() : value.dump());
    }
    return line;
}

}  // namespace

std::string_view Line::value(std::string_view key) const {
    for (const auto& [name, value] : fields) {
        if (name == key) return value;
    }
    return {};
}

std::optional<Line> parse_line(std::string_view text) {
    const auto begin = text.find("time=");
    const auto brace = text.find('{');
    if (brace < begin) return parse_json(text.substr(brace));
    if (begin == std::string_view::npos) return std::nullopt;
    return parse_text(text.substr(begin));
}

}  // namespace postern::logging

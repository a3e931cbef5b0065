#include "protocols/mime/charset.h"
#include "protocols/mime/header.h"
#include "protocols/mime/lexer.h"

#include <algorithm>

namespace postern::mime {
namespace {

constexpr int max_pieces = 999;  // highest RFC 2231 piece number

// Past the next ';' that is neither in quotes nor in a comment.
std::size_t after_semicolon(std::string_view value, std::size_t at) {
    std::string ignored;
    while (at < value.size() && value[at] != ';') {
        if (value[at] == '"') {
            at = read_quoted(value, at, ignored);
        } else if (value[at] == '(') {
            at = skip_comment(value, at);
        } else {
            ++at;
        }
    }
    return std::min(at + 1, value.size());
}

bool ends_name(char c) {
    return c == '=' || c == ';' || c == '(' || c == '"' || is_space(c);
}

// "name=" at `at`: a parameter whose ';' was forgotten.
bool starts_parameter(std::string_view value, std::size_t at) {
    const std::size_t start = at;
    while (at < value.size() && (is_alpha(value[at]) || is_digit(value[at]) || value[at] == '-' ||
                                 value[at] == '*' || value[at] == '_')) {
        ++at;
    }
    return at > start && at < value.size() && value[at] == '=';
}

// An unquoted value may hold spaces, slashes and '=' in real mail. It ends at ';', at a comment, or
// before another "name=".
std::size_t read_unquoted(std::string_view value, std::size_t at, std::string& out) {
    const std::size_t start = at;
    while (at < value.size() && value[at] != ';') {
        if (!is_space(value[at])) {
            ++at;
            continue;
        }
        std::size_t next = at;
        while (next < value.size() && is_space(value[next])) ++next;
        if (next < value.size() && (value[next] == '(' || starts_parameter(value, next))) break;
        at = next;
    }
    out = unfold(value.substr(start, at - start));
    return at;
}

// "base*3*" in pieces.
struct Piece {
    std::string_view base;
    int number = -1;  // -1: not in pieces
    bool extended = false;
};

Piece split_name(std::string_view name) {
    Piece piece{name};
    if (name.ends_with('*')) {
        piece.extended = true;
        name.remove_suffix(1);
        piece.base = name;
    }
    const std::size_t star = name.rfind('*');
    if (star == std::string_view::npos || star + 1 == name.size()) return piece;
    int number = 0;
    for (const char c : name.substr(star + 1)) {
        if (!is_digit(c) || number > max_pieces) return piece;
        number = number * 10 + (c - '0');
    }
    piece.number = number;
    piece.base = name.substr(0, star);
    return piece;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

struct NumberedPiece {
    int number;
    bool extended;
    const std::string* value;
};

std::string join_pieces(std::vector<NumberedPiece> pieces) {
    std::stable_sort(pieces.begin(), pieces.end(),
                     [](const auto& a, const auto& b) { return a.number < b.number; });
    std::string charset;
    std::string bytes;
    int last = -2;
    for (const NumberedPiece& piece : pieces) {
        if (piece.number == last) continue;
        std::string_view text = *piece.value;
        if (piece.extended && last == -2) {
            const std::size_t first_quote = text.find('\'');
            const std::size_t second_quote = first_quote == std::string_view::npos
                                                 ? first_quote
                                                 : text.find('\'', first_quote + 1);
            if (second_quote != std::string_view::npos) {
                charset = text.substr(0, first_quote);
                text.remove_prefix(second_quote + 1);
            }
        }
        bytes += piece.extended ? percent_decode(text) : std::string(text);
        last = piece.number;
    }
    return to_utf8(bytes, charset);
}

}  // namespace

std::vector<Parameter> raw_parameters(std::string_view value) {
    std::vector<Parameter> parameters;
    std::size_t at = after_semicolon(value, 0);
    while (at < value.size() && parameters.size() < max_parameters) {
        at = skip_cfws(value, at);
        const std::size_t start = at;
        while (at < value.size() && !ends_name(value[at])) ++at;
        Parameter parameter{lower_case(value.substr(start, at - start)), {}};
        at = skip_cfws(value, at);
        if (at >= value.size() || value[at] != '=' || parameter.name.empty()) {
            at = after_semicolon(value, at);
            continue;
        }
        at = skip_cfws(value, at + 1);
        if (at < value.size() && value[at] == '"') {
            at = read_quoted(value, at, parameter.value);
            const std::size_t next = skip_cfws(value, at);
            if (!starts_parameter(value, next)) at = after_semicolon(value, next);
        } else {
            at = read_unquoted(value, at, parameter.value);
            if (at < value.size() && value[at] == ';') ++at;
        }
        parameters.push_back(std::move(parameter));
    }
    return parameters;
}

std::vector<Parameter> join_parameters(std::vector<Parameter> raw) {
    std::vector<Parameter> joined;
    const bool plain = std::none_of(raw.begin(), raw.end(), [](const Parameter& p) {
        return p.name.find('*') != std::string::npos;
    });
    if (plain) {
        for (Parameter& parameter : raw) parameter.value = decode_words(parameter.value);
        return raw;
    }
    for (const Parameter& parameter : raw) {
        const std::string_view base = split_name(parameter.name).base;
        if (base.empty() || find_parameter(joined, base) != nullptr) continue;
        std::vector<NumberedPiece> pieces;
        const std::string* unsplit = nullptr;
        for (const Parameter& other : raw) {
            const Piece piece = split_name(other.name);
            if (piece.base != base) continue;
            if (piece.number < 0 && !piece.extended) {
                if (unsplit == nullptr) unsplit = &other.value;
            } else {
                pieces.push_back({piece.number, piece.extended, &other.value});
            }
        }
        // The form in pieces says more than the plain one beside it for old readers.
        joined.push_back({std::string(base), pieces.empty() ? decode_words(*unsplit)
                                                            : join_pieces(std::move(pieces))});
    }
    return joined;
}

const std::string* find_parameter(const std::vector<Parameter>& parameters, std::string_view name) {
    for (const Parameter& parameter : parameters) {
        if (parameter.name == name) return &parameter.value;
    }
    return nullptr;
}

}  // namespace postern::mime

#include "protocols/mime/lexer.h"

namespace postern::mime {

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::size_t skip_comment(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    for (; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '(') {
            ++depth;
        } else if (text[at] == ')' && --depth == 0) {
            return at + 1;
        }
    }
    return text.size();
}

std::size_t skip_cfws(std::string_view text, std::size_t at) {
    while (at < text.size()) {
        if (text[at] == '(') {
            at = skip_comment(text, at);
        } else if (is_space(text[at])) {
            ++at;
        } else {
            break;
        }
    }
    return at;
}

std::size_t read_quoted(std::string_view text, std::size_t at, std::string& out) {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        char c = text[at];
        if (c == '\r' || c == '\n') continue;
        if (c == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\')) {
            c = text[++at];
        }
        out += c;
    }
    return at < text.size() ? at + 1 : at;
}

}  // namespace postern::mime

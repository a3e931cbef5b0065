#include "gateway/delivery/trace.h"
#include "protocols/wire/text.h"

#include <vector>

namespace postern::delivery {

namespace {

// One past the field that begins at `begin`: its line and the continuation lines after it.
std::size_t field_end(std::string_view message, std::size_t begin) {
    for (std::size_t at = begin;;) {
        const auto line_end = message.find("\r\n", at);
        if (line_end == std::string_view::npos) return message.size();
        at = line_end + 2;
        if (at >= message.size() || (message[at] != ' ' && message[at] != '\t')) return at;
    }
}

// Skips white space, line ends and comments (RFC 5322 section 3.2.2).
std::size_t skip_cfws(std::string_view text, std::size_t at) {
    int depth = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '(')
            ++depth;
        else if (c == ')' && depth > 0)
            --depth;
        else if (c == '\\' && depth > 0)
            ++at;
        else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n')
            break;
    }
    return at;
}

// The name of the server that an Authentication-Results field claims to come from (RFC 8601
// section 2.2).
std::string authserv_id(std::string_view value) {
    std::size_t at = skip_cfws(value, 0);
    std::string id;
    const bool quoted = at < value.size() && value[at] == '"';
    if (quoted) ++at;
    for (; at < value.size(); ++at) {
        const char c = value[at];
        if (quoted && c == '\\' && at + 1 < value.size()) {
            id += value[++at];
        } else if (quoted ? c == '"' : c == ';' || c == '(' || c == ' ' || c == '\t' || c == '\r') {
            break;
        } else {
            id += c;
        }
    }
    return id;
}

// Empty where there is none.
std::string_view name_of(std::string_view field) {
    const auto colon = field.find(':');
    if (colon == std::string_view::npos) return {};
    auto name = field.substr(0, colon);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    return name;
}

// take(begin, end) for each field of the header.
template <class Take>
void each_field(std::string_view message, Take take) {
    for (std::size_t at = 0; at < message.size() && message.substr(at, 2) != "\r\n";) {
        const auto end = field_end(message, at);
        take(at, end);
        at = end;
    }
}

bool is_foreign(std::string_view field, std::string_view hostname) {
    const auto name = name_of(field);
    if (wire::equals_ignoring_case(name, "Return-Path")) return true;
    if (wire::starts_with_ignoring_case(name, "X-Spam-")) return true;
    if (wire::starts_with_ignoring_case(name, "X-Postern-")) return true;
    return wire::equals_ignoring_case(name, "Authentication-Results") &&
           wire::equals_ignoring_case(authserv_id(field.substr(field.find(':') + 1)), hostname);
}

}  // namespace

std::size_t remove_foreign_fields(std::string& message, std::string_view hostname) {
    struct Span {
        std::size_t begin, end;
    };
    std::vector<Span> found;
    const std::string_view whole(message);
    each_field(whole, [&](std::size_t begin, std::size_t end) {
        if (is_foreign(whole.substr(begin, end - begin), hostname)) found.push_back({begin, end});
    });
    if (found.empty()) return 0;
    std::string kept;
    kept.reserve(message.size());
    std::size_t from = 0;
    for (const auto& span : found) {
        kept.append(message, from, span.begin - from);
        from = span.end;
    }
    kept.append(message, from);
    message = std::move(kept);
    return found.size();
}

bool is_in_a_loop(std::string_view message) {
    std::size_t received = 0;
    each_field(message, [&](std::size_t begin, std::size_t end) {
        const auto name = name_of(message.substr(begin, end - begin));
        if (wire::equals_ignoring_case(name, "Received")) ++received;
    });
    return received > max_received_fields;
}

}  // namespace postern::delivery

#include "protocols/smtp/path.h"

#include "protocols/wire/quoted.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::smtp {
namespace {

bool is_atext(char c) {
    static constexpr std::string_view specials = "!#$%&'*+-/=?^_`{|}~";
    return wire::is_alpha(c) || wire::is_digit(c) || !wire::is_ascii(c) ||
           specials.find(c) != std::string_view::npos;
}

bool is_unquoted_local_part(std::string_view local_part) {
    return !local_part.empty() && std::all_of(local_part.begin(), local_part.end(),
                                              [](char c) { return c == '.' || is_atext(c); });
}

bool is_printable(char c) {
    return static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7f;
}

// Takes a quoted string off the front of text; false when it is not well-formed.
bool take_quoted(std::string_view& text, std::string& content) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return true;
        }
        if (text[i] == '\\' && ++i == text.size()) return false;
        if (!is_printable(text[i])) return false;
        content += text[i];
    }
    return false;
}

// Takes "local-part" off the front of text, in its one spelling.
bool take_local_part(std::string_view& text, std::string& local_part) {
    if (text.starts_with('"')) {
        std::string content;
        if (!take_quoted(text, content)) return false;
        local_part = is_unquoted_local_part(content) ? content : wire::in_quotes(content);
        return true;
    }
    const auto end =
        std::find_if_not(text.begin(), text.end(), [](char c) { return c == '.' || is_atext(c); });
    local_part.assign(text.begin(), end);
    text.remove_prefix(local_part.size());
    return !local_part.empty();
}

bool is_ipv4(std::string_view text) {
    for (int octets = 1;; ++octets) {
        const std::size_t dot = std::min(text.find('.'), text.size());
        const auto value = wire::parse_number(text.substr(0, dot));
        if (!value || *value > 255 || dot > 3) return false;
        if (dot == text.size()) return octets == 4;
        text.remove_prefix(dot + 1);
    }
}

bool is_hex_group(std::string_view text) {
    return !text.empty() && text.size() <= 4 && std::all_of(text.begin(), text.end(), [](char c) {
        return wire::is_digit(c) || (wire::to_lower(c) >= 'a' && wire::to_lower(c) <= 'f');
    });
}

// How many 16-bit groups a run of them without "::" holds; -1 when it is no such run.
int count_groups(std::string_view text, bool ipv4_may_end_it) {
    int groups = 0;
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        if (colon == std::string_view::npos && ipv4_may_end_it && is_ipv4(text)) return groups + 2;
        if (!is_hex_group(text.substr(0, colon))) return -1;
        ++groups;
        if (colon == std::string_view::npos) return groups;
        text.remove_prefix(colon + 1);
        if (text.empty()) return -1;
    }
    return groups;
}

bool is_ipv6(std::string_view text) {
    const std::size_t gap = text.find("::");
    if (gap == std::string_view::npos) return count_groups(text, true) == 8;
    const int before = count_groups(text.substr(0, gap), false);
    const int after = count_groups(text.substr(gap + 2), true);
    return before >= 0 && after >= 0 && before + after <= 7;
}

bool is_address_literal(std::string_view literal) {
    if (!literal.ends_with(']')) return false;
    const std::string_view inside = literal.substr(1, literal.size() - 2);
    if (is_ipv4(inside)) return true;
    return wire::starts_with_ignoring_case(inside, "IPv6:") && is_ipv6(inside.substr(5));
}

bool is_domain_label(std::string_view label) {
    if (label.empty() || label.size() > max_domain_label_bytes) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    // Underscores are no host names, but names with them send mail.
    return std::all_of(label.begin(), label.end(), [](char c) {
        return wire::is_alpha(c) || wire::is_digit(c) || c == '-' || c == '_' || !wire::is_ascii(c);
    });
}

std::string_view take_domain(std::string_view& text) {
    const std::size_t size = std::min(text.find('>'), text.size());
    const std::string_view domain = text.substr(0, size);
    text.remove_prefix(size);
    return domain;
}

// Where the domain at the front of a source route ends; literals hold colons of their own.
std::size_t route_domain_end(std::string_view text) {
    const std::size_t from = text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0;
    return text.find_first_of(",:>", from);
}

// "@a,@b:" in front of the mailbox: obsolete, to be ignored (RFC 5321 appendix C).
bool drop_source_route(std::string_view& text) {
    while (text.starts_with('@')) {
        text.remove_prefix(1);
        const std::size_t end = route_domain_end(text);
        if (end == std::string_view::npos || !is_domain(text.substr(0, end))) return false;
        const char mark = text[end];
        text.remove_prefix(end + 1);
        if (mark == ':') return true;
        if (mark != ',' || !text.starts_with('@')) return false;
    }
    return true;
}

// Takes "mailbox" off the front of text.
std::variant<std::string, PathError> take_mailbox(std::string_view& text, PathKind kind) {
    std::string local_part;
    if (!drop_source_route(text) || !take_local_part(text, local_part)) return PathError::syntax;
    if (local_part.size() > max_local_part_bytes) return PathError::too_long;
    if (text.starts_with('>')) {
        const bool postmaster = wire::equals_ignoring_case(local_part, "postmaster");
        if (kind == PathKind::reverse || !postmaster) return PathError::syntax;
        return "Postmaster";
    }
    if (!text.starts_with('@')) return PathError::syntax;
    text.remove_prefix(1);
    const std::string_view domain = take_domain(text);
    if (domain.size() > max_domain_bytes) return PathError::too_long;
    if (!is_domain(domain)) return PathError::syntax;
    return local_part.append("@").append(domain);
}

}  // namespace

bool is_domain(std::string_view domain) {
    if (domain.starts_with('[')) return is_address_literal(domain);
    while (true) {
        const std::size_t dot = std::min(domain.find('.'), domain.size());
        if (!is_domain_label(domain.substr(0, dot))) return false;
        if (dot == domain.size()) return true;
        domain.remove_prefix(dot + 1);
    }
}

std::variant<Path, PathError> parse_path(std::string_view text, PathKind kind, bool utf8_allowed) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (!text.starts_with('<')) return PathError::syntax;
    text.remove_prefix(1);

    std::string address;
    if (!(kind == PathKind::reverse && text.starts_with('>'))) {
        auto mailbox = take_mailbox(text, kind);
        if (const auto* error = std::get_if<PathError>(&mailbox)) return *error;
        address = std::move(std::get<std::string>(mailbox));
    }
    if (!text.starts_with('>')) return PathError::syntax;
    text.remove_prefix(1);
    if (!text.empty() && text.front() != ' ') return PathError::syntax;
    if (!wire::is_ascii(address)) {
        if (!utf8_allowed) return PathError::non_ascii;
        if (!wire::is_utf8(address)) return PathError::syntax;
    }
    return Path{std::move(address), text};
}

}  // namespace postern::smtp

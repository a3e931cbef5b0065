#include "filters/features/url.h"

#include "filters/features/ascii.h"

#include <algorithm>

namespace postern::filters {

namespace {

constexpr std::string_view schemes[] = {"http://", "https://", "ftp://", "www."};

bool ends_url(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == '"' || c == '\'' ||
           c == '`' || c == '{' || c == '}' || c == '|' || c == '\\' || c == '^' || c == 0x7F;
}

// Marks that belong to the sentence, not to the address.
bool is_trailing_mark(char c) {
    return std::string_view(".,;:!?)]*_-").find(c) != std::string_view::npos;
}

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string decode_host(std::string_view text) {
    std::string host;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            host += lower(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else {
            host += lower(text[i]);
        }
    }
    while (!host.empty() && host.back() == '.') host.pop_back();
    return host;
}

// 10.0.0.1, 0x0a.1, 167772161 and IPv6: every label a number, or hex digits and colons.
bool is_ip_host(std::string_view host) {
    if (host.empty()) return false;
    if (host.find(':') != std::string_view::npos) {
        return std::all_of(host.begin(), host.end(),
                           [](char c) { return c == ':' || c == '.' || hex_value(c) >= 0; });
    }
    while (!host.empty()) {
        const std::string_view label = host.substr(0, host.find('.'));
        host.remove_prefix(std::min(host.size(), label.size() + 1));
        const bool hex = label.size() > 2 && label.starts_with("0x");
        const std::string_view digits = hex ? label.substr(2) : label;
        const bool number =
            !digits.empty() && std::all_of(digits.begin(), digits.end(), [&](char c) {
                return hex ? hex_value(c) >= 0 : is_digit(c);
            });
        if (!number) return false;
    }
    return true;
}

void split_authority(std::string_view authority, Url& url) {
    const std::size_t at = authority.rfind('@');
    if (at != std::string_view::npos) {
        url.has_user = true;
        authority.remove_prefix(at + 1);
    }
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        url.host = decode_host(authority.substr(1, end == authority.npos ? end : end - 1));
        authority.remove_prefix(std::min(authority.size(), end));
        if (authority.starts_with("]:")) url.port = authority.substr(2);
    } else {
        const std::size_t colon = authority.find(':');
        url.host = decode_host(authority.substr(0, colon));
        if (colon != std::string_view::npos) url.port = authority.substr(colon + 1);
    }
    url.is_ip = is_ip_host(url.host);
}

}  // namespace

Url parse_url(std::string_view text) {
    Url url;
    text = text.substr(0, max_url_bytes);
    url.text = text;
    const std::size_t colon = text.find(':');
    std::string_view rest = text;
    if (colon != std::string_view::npos && colon > 0 && colon < 12 &&
        std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), is_alnum)) {
        url.scheme = to_lower(text.substr(0, colon));
        rest.remove_prefix(colon + 1);
    } else {
        url.scheme = "http";
    }
    const bool hierarchical = rest.starts_with("//") || colon == std::string_view::npos ||
                              starts_with_nocase(text, "www.");
    if (!hierarchical) {
        url.path = rest;
        return url;
    }
    while (rest.starts_with('/')) rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    split_authority(rest.substr(0, end), url);
    url.path = rest.substr(end);
    return url;
}

void find_urls(std::string_view text, std::size_t room, std::vector<std::string_view>& found) {
    // Both kinds of start hold a mark that is rare in text: "://" or "ww.".
    for (std::size_t i = 0; i + 4 < text.size() && room > 0;) {
        const auto is_mark = [](char c) { return c == ':' || lower(c) == 'w'; };
        const auto mark = static_cast<std::size_t>(
            std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_mark) -
            text.begin());
        if (mark == text.size()) return;
        i = mark + 1;
        std::size_t begin = text.size();
        if (text[mark] == ':') {
            if (text.substr(mark, 3) != "://") continue;
            for (std::string_view scheme : schemes) {
                const std::size_t length = scheme.size() - 3;
                if (!scheme.ends_with("://") || mark < length) continue;
                if (starts_with_nocase(text.substr(mark - length), scheme)) begin = mark - length;
            }
        } else if (starts_with_nocase(text.substr(mark), "www.") &&
                   (mark == 0 || (!is_alnum(text[mark - 1]) && text[mark - 1] != '/' &&
                                  text[mark - 1] != '.' && text[mark - 1] != '@'))) {
            begin = mark;
        }
        if (begin == text.size()) continue;
        std::size_t end = mark;
        while (end < text.size() && end - begin < max_url_bytes && !ends_url(text[end])) ++end;
        while (end > mark && is_trailing_mark(text[end - 1])) --end;
        if (end <= mark + 3) continue;
        found.push_back(text.substr(begin, end - begin));
        --room;
        i = end;
    }
}

std::string_view registered_domain(std::string_view host) {
    if (is_ip_host(host)) return host;
    const std::size_t last = host.rfind('.');
    if (last == std::string_view::npos || last == 0) return host;
    const std::size_t second = host.rfind('.', last - 1);
    if (second == std::string_view::npos) return host;
    const std::string_view middle = host.substr(second + 1, last - second - 1);
    const bool country = host.size() - last - 1 == 2;
    constexpr std::string_view shared[] = {"co",  "com", "org", "net", "gov", "edu",
                                           "ac",  "or",  "ne",  "go",  "gob", "mil",
                                           "gen", "ltd", "plc", "me",  "nom", "info"};
    const bool suffix =
        country && std::find(std::begin(shared), std::end(shared), middle) != std::end(shared);
    if (!suffix || second == 0) return host.substr(second + 1);
    const std::size_t third = host.rfind('.', second - 1);
    return third == std::string_view::npos ? host : host.substr(third + 1);
}

}  // namespace postern::filters

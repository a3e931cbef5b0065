#include "store/directory/names.h"

#include "store/directory/directory.h"

namespace postern::directory {

namespace {

constexpr std::size_t max_label_bytes = 63;

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
    if (label.empty() || label.size() > max_label_bytes) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    for (char c : label) {
        if (!is_alphanumeric(c) && c != '-') return false;
    }
    return true;
}

bool is_atom_text(char c) {
    constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~";
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_dot_string(std::string_view text) {
    if (text.empty() || text.front() == '.' || text.back() == '.') return false;
    char before = 0;
    for (char c : text) {
        if (c == '.' ? before == '.' : !is_atom_text(c)) return false;
        before = c;
    }
    return true;
}

}  // namespace

std::optional<std::string> canonical_domain(std::string_view domain) {
    if (domain.empty() || domain.size() > max_domain_bytes) return std::nullopt;
    for (std::string_view rest = domain;;) {
        const std::size_t dot = rest.find('.');
        if (!is_label(rest.substr(0, dot))) return std::nullopt;
        if (dot == std::string_view::npos) return lower(domain);
        rest.remove_prefix(dot + 1);
    }
}

std::optional<Address> canonical_address(std::string_view address) {
    const std::size_t at = address.rfind('@');
    if (at == std::string_view::npos || at > max_local_part_bytes) return std::nullopt;
    if (!is_dot_string(address.substr(0, at))) return std::nullopt;
    auto domain = canonical_domain(address.substr(at + 1));
    if (!domain) return std::nullopt;
    return Address{lower(address.substr(0, at)), *std::move(domain)};
}

std::optional<std::string> canonical_pattern(std::string_view text) {
    if (text.starts_with('@')) {
        const auto domain = canonical_domain(text.substr(1));
        return domain ? std::optional("@" + *domain) : std::nullopt;
    }
    const auto address = canonical_address(text);
    if (!address) return std::nullopt;
    return address->local_part + "@" + address->domain;
}

Error bad_address(std::string_view text) {
    return Error{Errc::invalid, "not an address: " + std::string(text)};
}

}  // namespace postern::directory

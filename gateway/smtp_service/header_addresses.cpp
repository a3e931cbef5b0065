#include "gateway/smtp_service/header_addresses.h"

#include "gateway/smtp_service/fix_up.h"
#include "protocols/mime/address.h"
#include "protocols/mime/message.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace postern::smtp_service {

namespace {

constexpr std::string_view rewritten_names[] = {"From", "Sender", "Reply-To"};
constexpr std::string_view sender_names[] = {"From", "Sender", "Resent-From", "Resent-Sender"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
    return std::any_of(names.begin(), names.end(),
                       [&](auto each) { return wire::equals_ignoring_case(each, name); });
}

// What may stand in an address: beside it, the text found is part of a longer one.
bool is_address_text(char c) {
    constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~.@";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80;
}

// Each place where `from` stands as a whole address.
std::string replace_addresses(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;) {
        const auto end = at + from.size();
        const bool whole = (at == 0 || !is_address_text(text[at - 1])) &&
                           (end == text.size() || !is_address_text(text[end]));
        if (whole) text.replace(at, from.size(), to);
        at += whole ? to.size() : 1;
    }
    return text;
}

// As the DNS takes it, in any charset; or an address literal.
bool is_domain(std::string_view domain) {
    if (domain.starts_with('[')) return domain.ends_with(']');
    return !domain.starts_with('.') && !domain.ends_with('.') &&
           std::all_of(domain.begin(), domain.end(), [](char c) {
               return c == '.' || c == '-' || c == '_' || wire::is_alpha(c) ||
                      wire::is_digit(c) || !wire::is_ascii(c);
           });
}

// Outside of quotes and comments.
std::size_t count_brackets(std::string_view value) {
    std::size_t count = 0, depth = 0;
    bool quoted = false;
    for (std::size_t at = 0; at < value.size(); ++at) {
        const char c = value[at];
        if (c == '\\') {
            ++at;
        } else if (c == '"' && depth == 0) {
            quoted = !quoted;
        } else if (!quoted && c == '(') {
            ++depth;
        } else if (!quoted && c == ')' && depth > 0) {
            --depth;
        } else if (!quoted && depth == 0 && c == '<') {
            ++count;
        }
    }
    return count;
}

}  // namespace

void rewrite_header_addresses(std::string& message,
                              const std::function<std::string(std::string_view)>& rewrite) {
    const auto parsed = mime::parse(header_of(message));
    std::vector<std::pair<const mime::HeaderField*, std::string>> changed;
    std::size_t seen = 0;
    for (const auto& field : parsed.parts.front().fields) {
        if (!is_one_of(rewritten_names, field.name.of(message))) continue;
        const std::string before(field.value.of(message));
        std::string after = before;
        for (const auto& address : mime::parse_addresses(before)) {
            if (address.domain.empty() || seen++ >= max_header_addresses) continue;
            const auto written = address.addr_spec();
            const auto wanted = rewrite(written);
            if (wanted != written) after = replace_addresses(std::move(after), written, wanted);
        }
        if (after != before) changed.emplace_back(&field, std::move(after));
    }
    // From the last field on, so that the offsets of those before stay true.
    for (auto each = changed.rbegin(); each != changed.rend(); ++each) {
        const auto& value = each->first->value;
        message.replace(value.begin, value.end - value.begin, each->second);
    }
}

HeaderSenders header_senders(std::string_view message) {
    const auto header = header_of(message);
    const auto parsed = mime::parse(header);
    HeaderSenders out;
    out.unreadable = parsed.has(mime::Defect::header_too_large);
    for (const auto& field : parsed.parts.front().fields) {
        if (!is_one_of(sender_names, field.name.of(header))) continue;
        const auto list = mime::parse_addresses(field.value.of(header));
        out.too_many = out.too_many || list.size() >= mime::max_addresses;
        if (count_brackets(field.value.of(header)) > list.size()) out.unreadable = true;
        for (const auto& address : list) {
            if (address.domain.empty()) continue;
            if (!is_domain(address.domain)) out.unreadable = true;
            auto written = address.addr_spec();
            if (std::find(out.addresses.begin(), out.addresses.end(), written) !=
                out.addresses.end()) {
                continue;
            }
            if (out.addresses.size() < max_header_addresses)
                out.addresses.push_back(std::move(written));
            else
                out.too_many = true;
        }
    }
    return out;
}

}  // namespace postern::smtp_service

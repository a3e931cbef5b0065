#include "gateway/outbound/route.h"

#include "protocols/wire/ip_address.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::outbound {

namespace {

constexpr std::uint16_t submission_port = 587;
constexpr std::uint16_t smtp_port = 25;
constexpr std::uint16_t lmtp_port = 24;

const std::string* find_transport(std::string_view domain, const config::Outbound& config) {
    const auto find = [&](std::string_view name) -> const std::string* {
        for (const auto& [pattern, target] : config.transports) {
            if (wire::equals_ignoring_case(pattern, name)) return &target;
        }
        return nullptr;
    };
    if (const auto* exact = find(domain)) return exact;
    for (std::size_t dot = domain.find('.'); dot != std::string_view::npos;
         dot = domain.find('.', dot + 1)) {
        if (const auto* parent = find(domain.substr(dot))) return parent;
    }
    return nullptr;
}

}  // namespace

std::string Route::key() const {
    switch (kind) {
        case Kind::mx:
            return host;
        case Kind::smtp:
            return "smtp:" + host + ":" + std::to_string(port);
        case Kind::lmtp:
            return "lmtp:" + host + ":" + std::to_string(port);
        case Kind::smarthost:
            break;
    }
    return "smarthost:" + host + ":" + std::to_string(port);
}

void split_host_port(std::string_view text, std::string& host, std::uint16_t& port) {
    const std::size_t colon = text.rfind(':');
    const bool bracket = text.starts_with('[');
    const bool has_port = colon != std::string_view::npos && colon > 0 &&
                          (bracket ? text[colon - 1] == ']' : text.find(':') == colon);
    if (has_port) {
        const auto number = wire::parse_number(text.substr(colon + 1));
        if (number && *number > 0 && *number <= 65535) port = static_cast<std::uint16_t>(*number);
        text = text.substr(0, colon);
    }
    if (bracket && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    host = text;
}

Route route_for(std::string_view domain, const config::Outbound& config) {
    Route route;
    if (const auto* target = find_transport(domain, config)) {
        const bool lmtp = target->starts_with("lmtp:");
        route.kind = lmtp ? Route::Kind::lmtp : Route::Kind::smtp;
        route.port = lmtp ? lmtp_port : smtp_port;
        split_host_port(std::string_view(*target).substr(5), route.host, route.port);
        return route;
    }
    if (!config.smarthost.empty()) {
        route.kind = Route::Kind::smarthost;
        route.port = submission_port;
        split_host_port(config.smarthost, route.host, route.port);
        return route;
    }
    route.host = domain;
    route.port = static_cast<std::uint16_t>(config.mx_port);
    return route;
}

bool is_relay_domain(std::string_view domain, const config::Outbound& config) {
    return std::any_of(
        config.relay_domains.begin(), config.relay_domains.end(), [&](const std::string& each) {
            if (wire::equals_ignoring_case(each, domain)) return true;
            return each.starts_with('.') && domain.size() > each.size() &&
                   wire::equals_ignoring_case(each, domain.substr(domain.size() - each.size()));
        });
}

std::string domain_of(std::string_view address) {
    return wire::lower_case(address.substr(address.rfind('@') + 1));
}

}  // namespace postern::outbound

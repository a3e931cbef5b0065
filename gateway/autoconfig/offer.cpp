#include "gateway/autoconfig/autoconfig.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::autoconfig {

namespace {

// A port that others can reach: one on loopback only is for programs of this machine.
void add(std::vector<Server>& servers, const std::vector<config::Endpoint>& endpoints,
         bool implicit_tls) {
    const auto open = std::find_if(endpoints.begin(), endpoints.end(), [](const auto& endpoint) {
        return !endpoint.address.starts_with("127.") && endpoint.address != "::1";
    });
    if (open != endpoints.end()) {
        servers.push_back({open->port, implicit_tls});
    } else if (!endpoints.empty()) {
        servers.push_back({endpoints.front().port, implicit_tls});
    }
}

}  // namespace

Offer offer_of(const std::string& hostname, const config::Listeners& on) {
    Offer offer;
    offer.hostname = hostname;
    add(offer.imap, on.imaps, true);
    add(offer.imap, on.imap, false);
    add(offer.pop3, on.pop3s, true);
    add(offer.pop3, on.pop3, false);
    add(offer.smtp, on.submissions, true);
    add(offer.smtp, on.submission, false);
    return offer;
}

std::optional<std::string> domain_of(std::string_view address) {
    const auto at = address.rfind('@');
    if (address.size() > max_address_bytes || at == std::string_view::npos || at == 0 ||
        at + 1 == address.size()) {
        return std::nullopt;
    }
    const bool printable = std::all_of(address.begin(), address.end(), [](unsigned char c) {
        return c > 0x20 && c != 0x7f;
    });
    if (!printable) return std::nullopt;
    return wire::lower_case(address.substr(at + 1));
}

std::string sts_policy(std::string_view mode, const std::vector<std::string>& mx) {
    std::string text = "version: STSv1\r\nmode: " + std::string(mode) + "\r\n";
    for (const auto& host : mx) text += "mx: " + host + "\r\n";
    return text + "max_age: " + std::to_string(sts_max_age_s) + "\r\n";
}

}  // namespace postern::autoconfig

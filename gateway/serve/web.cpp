#include "gateway/serve/web.h"

#include "protocols/wire/text.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace postern::serve {

namespace {

constexpr std::string_view acme_prefix = "/.well-known/acme-challenge/";
constexpr const char* xml = "text/xml; charset=utf-8";

http::Response not_found(const std::string& text) {
    return {404, "text/plain; charset=utf-8", text + "\n"};
}

// A token is base64url, so no path can hide in it.
http::Response acme_answer(const std::string& token, const config::Config& config) {
    const bool good = !token.empty() && token.size() <= max_acme_token_bytes &&
                      std::all_of(token.begin(), token.end(), [](char c) {
                          return wire::is_alpha(c) || wire::is_digit(c) || c == '-' || c == '_';
                      });
    if (!good) return not_found("not a token");
    std::ifstream file(config.acme_folder() + std::string(acme_prefix) + token, std::ios::binary);
    if (!file) return not_found("no such challenge");
    std::string text(max_acme_answer_bytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return {200, "application/octet-stream", std::move(text)};
}

http::Response for_mozilla(const http::Request& request, const autoconfig::Offer& offer,
                           const std::function<bool(const std::string&)>& is_ours) {
    constexpr std::string_view prefix = "autoconfig.";
    auto domain = autoconfig::domain_of(request.value("emailaddress")).value_or("");
    if (domain.empty() && request.host.starts_with(prefix)) {
        domain = request.host.substr(prefix.size());
    }
    // example.org/.well-known/autoconfig/: the host is the domain itself.
    if (domain.empty()) domain = request.host;
    if (!is_ours(domain)) return not_found("no mail for this domain here");
    return {200, xml, autoconfig::mozilla(offer, domain)};
}

http::Response for_outlook(const http::Request& request, const autoconfig::Offer& offer,
                           const std::function<bool(const std::string&)>& is_ours) {
    if (request.method != "POST") {
        return {405, "text/plain", "Autodiscover asks with POST\n", {{"Allow", "POST"}}};
    }
    const auto address = autoconfig::autodiscover_address(request.body);
    if (!address) return {400, "text/plain", "no EMailAddress in the request\n"};
    if (!is_ours(*autoconfig::domain_of(*address))) {
        return not_found("no mail for this domain here");
    }
    return {200, xml, autoconfig::autodiscover(offer, *address)};
}

http::Response for_apple(const http::Request& request, autoconfig::Offer offer,
                         const std::function<bool(const std::string&)>& is_ours) {
    const auto address = request.value("email");
    const auto domain = autoconfig::domain_of(address);
    if (!domain) {
        return {400, "text/plain", "ask as /apple.mobileconfig?email=NAME@DOMAIN\n"};
    }
    if (!is_ours(*domain)) return not_found("no mail for this domain here");
    if (wire::lower_case(request.value("protocol")) == "pop3") offer.imap.clear();
    return {200,
            "application/x-apple-aspen-config",
            autoconfig::mobileconfig(offer, address),
            {{"Content-Disposition", "attachment; filename=\"mail.mobileconfig\""}}};
}

http::Response sts_policy(const http::Request& request, const config::Config& config,
                          const std::function<bool(const std::string&)>& is_ours) {
    constexpr std::string_view prefix = "mta-sts.";
    const bool ours =
        request.host.starts_with(prefix) && is_ours(request.host.substr(prefix.size()));
    if (!ours || config.web.mta_sts == "off") return not_found("no policy for this domain");
    auto mx = config.web.mta_sts_mx;
    if (mx.empty()) mx.push_back(config.hostname);
    return {200, "text/plain", autoconfig::sts_policy(config.web.mta_sts, mx)};
}

}  // namespace

http::Response public_page(const http::Request& request, const config::Config& config,
                           const autoconfig::Offer& offer,
                           const std::function<bool(const std::string& domain)>& is_ours) {
    const auto path = wire::lower_case(request.path);
    if (request.path.starts_with(acme_prefix)) {
        return acme_answer(request.path.substr(acme_prefix.size()), config);
    }
    if (path == "/autodiscover/autodiscover.xml") {
        if (request.tls) return for_outlook(request, offer, is_ours);
        return {403, "text/plain", "over https only\n"};
    }
    if (request.method != "GET" && request.method != "HEAD") {
        return {405, "text/plain", "expected GET\n", {{"Allow", "GET, HEAD"}}};
    }
    if (path == "/mail/config-v1.1.xml" || path == "/.well-known/autoconfig/mail/config-v1.1.xml") {
        return for_mozilla(request, offer, is_ours);
    }
    if (path == "/apple.mobileconfig") {
        if (request.tls) return for_apple(request, offer, is_ours);
        return {403, "text/plain", "over https only\n"};
    }
    if (path == "/.well-known/mta-sts.txt" && request.tls) {
        return sts_policy(request, config, is_ours);
    }
    return not_found("nothing here");
}

}  // namespace postern::serve

#include "appliance/cli/domain_plan.h"

#include "gateway/crypto/crypto.h"
#include "protocols/wire/base64.h"

namespace postern::cli {

namespace {

std::optional<std::uint16_t> first_port(const std::vector<config::Endpoint>& endpoints) {
    if (endpoints.empty()) return std::nullopt;
    return endpoints.front().port;
}

}  // namespace

Result<health::DomainPlan> plan_of(const config::Config& config, const std::string& domain) {
    health::DomainPlan plan;
    plan.domain = domain;
    plan.hostname = config.hostname;
    for (const auto& [signed_domain, target] : config.dkim.keys) {
        if (signed_domain != domain) continue;
        const auto colon = target.find(':');
        if (colon == std::string::npos) break;
        const auto key = crypto::PrivateKey::load(target.substr(colon + 1));
        if (!key) return key.error();
        const auto bytes = (*key)->public_bytes();
        if (!bytes) return bytes.error();
        plan.dkim_selector = target.substr(0, colon);
        plan.dkim_value = std::string("v=DKIM1; k=") +
                          ((*key)->is_ed25519() ? "ed25519" : "rsa") +
                          "; p=" + wire::base64_encode(*bytes);
    }
    const auto& on = config.listeners;
    plan.imaps = first_port(on.imaps);
    plan.pop3s = first_port(on.pop3s);
    plan.submissions = first_port(on.submissions);
    plan.autoconfig = !on.http.empty() || !on.https.empty();
    plan.mta_sts = config.web.mta_sts != "off" && !on.https.empty();
    return plan;
}

}  // namespace postern::cli

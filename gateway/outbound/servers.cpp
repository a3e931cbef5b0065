// Which servers a route has, in the order in which they are tried, and what each must prove.
#include "gateway/log/log.h"
#include "gateway/outbound/courier.h"
#include "gateway/outbound/own_address.h"
#include "protocols/wire/ip_address.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::outbound {

namespace {

using Tls = smtp::ClientConfig::Tls;

smtp::Reply not_now(std::string text) {
    return {0, "4.4.3", std::move(text)};
}

// Those of an address literal (RFC 5321 section 4.1.3), and of what is one without brackets.
std::optional<wire::IpAddress> parse_literal(std::string_view host) {
    constexpr std::string_view v6_tag = "IPv6:";
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (wire::equals_ignoring_case(host.substr(0, v6_tag.size()), v6_tag))
            host.remove_prefix(v6_tag.size());
    }
    return wire::parse_ip(host);
}

smtp::Reply leads_back(const std::string& domain) {
    return {554, "5.4.6",
            "The mail servers of " + domain +
                " lead back to this one, which does not have that domain"};
}

}  // namespace

net::Awaitable<Courier::Hops> Courier::hops(const Route& route, bool waived) {
    return route.kind == Route::Kind::mx ? mx_hops(route, waived) : host_hops(route);
}

net::Awaitable<Courier::Hops> Courier::host_hops(const Route& route) {
    Hops out;
    auto failed = co_await add_host(out, route.host, route.port);
    for (auto& hop : out.hops) hop.vouched = true;
    if (out.hops.empty()) out.verdict = failed.value_or(not_now(route.host + " has no address"));
    co_return out;
}

net::Awaitable<Courier::Hops> Courier::literal_hops(const Route& route) {
    Hops out;
    if (!parse_literal(route.host)) {
        out.verdict = smtp::Reply{550, "5.1.2", route.host + " is no address of a server"};
        co_return out;
    }
    co_await add_host(out, route.host, route.port);
    const auto config = config_.get();
    if (is_own_address(*config, out.hops.front().address, out.hops.front().port)) {
        out.hops.clear();
        out.verdict = leads_back(route.host);
    }
    co_return out;
}

// RFC 5321 section 5.1; RFC 7505 for the null MX.
net::Awaitable<Courier::Hops> Courier::mx_hops(const Route& route, bool waived) {
    Hops out;
    if (route.host.starts_with('[')) {
        co_return co_await literal_hops(route);
    }
    const auto found = co_await resolver_.mx(route.host);
    if (!found) {
        out.verdict = not_now(found.error().text);
        co_return out;
    }
    if (found->no_such_domain) {
        out.verdict = smtp::Reply{550, "5.1.2", "The domain " + route.host + " does not exist"};
        co_return out;
    }
    auto hosts = found->hosts;
    if (hosts.size() == 1 && hosts.front().host.empty()) {
        out.verdict = smtp::Reply{556, "5.1.10", "The domain " + route.host + " takes no mail"};
        co_return out;
    }
    const bool implicit = hosts.empty();
    if (implicit) hosts.push_back({0, route.host});
    auto failed = co_await add_servers(out, route, hosts, found->secure, waived);
    if (!out.hops.empty()) {
        if (!waived) co_await apply_policy(route, out);
        co_return out;
    }
    if (failed)
        out.verdict = std::move(failed);
    else if (implicit)
        out.verdict = smtp::Reply{550, "5.1.2", "The domain " + route.host + " has no mail server"};
    else
        out.verdict = not_now("no mail server of " + route.host + " has an address");
    co_return out;
}

// What went wrong where there are none. Servers that are as far from the mailboxes as this gateway
// would send it back (RFC 5321 section 5.1).
net::Awaitable<std::optional<smtp::Reply>> Courier::add_servers(Hops& out, const Route& route,
                                                                const std::vector<dns::Mx>& hosts,
                                                                bool secure, bool waived) {
    std::optional<smtp::Reply> failed;
    std::size_t of_preference = 0;  // the first hop of the preference at hand
    const std::string_view dane_of = secure && !waived ? route.host : std::string_view();
    for (std::size_t at = 0; at < hosts.size() && out.hops.size() < max_hops_tried; ++at) {
        const auto before = out.hops.size();
        if (at > 0 && hosts[at].preference != hosts[at - 1].preference) of_preference = before;
        auto problem = co_await add_host(out, hosts[at].host, route.port, dane_of);
        if (problem) failed = std::move(problem);
        const auto config = config_.get();
        bool loops = wire::equals_ignoring_case(hosts[at].host, config->hostname);
        for (auto i = before; i < out.hops.size(); ++i) {
            out.hops[i].vouched = secure;
            out.hops[i].unpoliced = waived;
            loops = loops || is_own_address(*config, out.hops[i].address, out.hops[i].port);
        }
        if (!loops) continue;
        out.hops.resize(of_preference);
        if (!failed) failed = leads_back(route.host);
        break;
    }
    co_return failed;
}

// RFC 8461 section 5. DANE, where a server has it, is the stronger word.
net::Awaitable<void> Courier::apply_policy(const Route& route, Hops& out) {
    const auto config = config_.get();
    if (policies_ == nullptr || !config->outbound.mta_sts || config->outbound.tls == "off") {
        co_return;
    }
    const auto policy = co_await policies_->find(route.host);
    if (!policy || policy->mode == StsPolicy::Mode::none) co_return;
    if (policy->mode == StsPolicy::Mode::testing) {
        for (const auto& hop : out.hops) {
            if (policy->allows(hop.host)) continue;
            logging::info("MTA-STS policy in testing does not name a server",
                          {{"domain", route.host}, {"host", hop.host}});
        }
        co_return;
    }
    std::erase_if(out.hops, [&](const Hop& hop) {
        return hop.peer.tlsa.empty() && !policy->allows(hop.host);
    });
    for (auto& hop : out.hops) {
        if (!hop.peer.tlsa.empty()) continue;
        hop.tls = Tls::always;
        hop.peer.verify = true;
        hop.vouched = true;
    }
    if (out.hops.empty()) {
        out.verdict = not_now("the MTA-STS policy of " + route.host + " names none of its servers");
    }
}

// What went wrong, if something did that may be better another time.
net::Awaitable<std::optional<smtp::Reply>> Courier::add_host(Hops& out, std::string host,
                                                             std::uint16_t port,
                                                             std::string_view next_hop) {
    const auto config = config_.get();
    Hop hop;
    hop.host = host;
    hop.port = port;
    hop.peer.hostname = host;
    hop.peer.ca_file = config->outbound.ca_file;
    if (config->outbound.tls == "off") hop.tls = Tls::never;
    if (config->outbound.tls == "require") {
        hop.tls = Tls::always;
        hop.peer.verify = true;
    }
    if (const auto numeric = parse_literal(host)) {
        hop.host = hop.address = hop.peer.hostname = wire::to_string(*numeric);
        out.hops.push_back(std::move(hop));
        co_return std::nullopt;
    }
    const auto addresses = co_await resolver_.addresses(host);
    if (!addresses) co_return not_now(addresses.error().text);
    if (!next_hop.empty() && config->outbound.dane && config->outbound.tls != "off") {
        const auto added = co_await add_dane(hop, *addresses, next_hop);
        if (!added) co_return not_now(added.error().text);
    }
    for (const auto& address : addresses->numeric) {
        hop.address = address;
        out.hops.push_back(hop);
    }
    co_return std::nullopt;
}

// RFC 7672 sections 2.2.3 and 3.2.2: the records stand at the name to which CNAMEs lead, else at
// the host's own; the certificate may have either name, or that of the domain. An attacker who can
// drop an answer must not be able to drop the protection.
net::Awaitable<Result<void>> Courier::add_dane(Hop& hop, const dns::Addresses& addresses,
                                               std::string_view next_hop) {
    std::vector<std::string> bases{hop.host};
    if (addresses.secure && !addresses.canonical.empty()) {
        bases.insert(bases.begin(), addresses.canonical);
    } else if (!addresses.secure) {
        if (!addresses.aliased) co_return Result<void>();
        // An alias that DNSSEC vouches for, into a zone without it.
        const auto alias = co_await resolver_.look_up(hop.host, dns::Type::cname);
        if (!alias) co_return alias.error();
        if (!alias->secure || alias->data.empty()) co_return Result<void>();
    }
    for (const auto& base : bases) {
        auto records = co_await resolver_.tlsa(base, hop.port);
        if (!records) {
            co_return Error{Errc::unavailable,
                            "TLSA records of " + base + ": " + records.error().text};
        }
        if (records->empty()) continue;
        hop.tls = Tls::always;
        std::erase_if(*records, [](const net::Tlsa& each) { return !each.is_usable(); });
        if (records->empty()) break;
        hop.peer.tlsa = std::move(*records);
        hop.peer.hostname = base;
        hop.peer.more_names = {hop.host, std::string(next_hop)};
        break;
    }
    co_return Result<void>();
}

}  // namespace postern::outbound

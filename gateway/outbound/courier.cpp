#include "gateway/outbound/courier.h"

#include "gateway/log/log.h"
#include "gateway/outbound/line.h"
#include "gateway/outbound/own_address.h"
#include "protocols/wire/ip_address.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <fstream>

namespace postern::outbound {

namespace {

using Tls = smtp::ClientConfig::Tls;

smtp::Reply not_now(std::string text) {
    return {0, "4.4.3", std::move(text)};
}

std::string read_secret(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

Carried carried(const Parcel& parcel, const smtp::Reply& reply, bool unreachable) {
    Carried out;
    out.replies.assign(parcel.message.recipients.size(), reply);
    out.unreachable = unreachable;
    return out;
}

// RFC 8689 section 4.2.1: only servers whose name and certificate are beyond doubt.
void keep_verifiable(std::vector<Hop>& hops) {
    std::erase_if(hops, [](const Hop& hop) { return !hop.vouched; });
    for (auto& hop : hops) {
        hop.tls = Tls::always;
        hop.peer.verify = true;
    }
}

}  // namespace

smtp::ClientConfig Courier::client_config(const Route& route, const Hop& hop) const {
    const auto config = config_.get();
    smtp::ClientConfig out;
    out.hostname = config->hostname;
    out.lmtp = route.kind == Route::Kind::lmtp;
    out.tls = hop.tls;
    out.plaintext_auth = config->auth.allow_plaintext;
    if (route.kind == Route::Kind::smarthost && !config->outbound.smarthost_user.empty()) {
        out.user = config->outbound.smarthost_user;
        out.password = read_secret(config->outbound.smarthost_password_file);
    }
    return out;
}

net::Awaitable<Courier::Hops> Courier::hops(const Route& route, bool waived) {
    return route.kind == Route::Kind::mx ? mx_hops(route, waived) : host_hops(route);
}

net::Awaitable<Courier::Hops> Courier::host_hops(const Route& route) {
    Hops out;
    auto failed = co_await add_host(out, route.host, route.port, false);
    for (auto& hop : out.hops) hop.vouched = true;
    if (out.hops.empty()) out.verdict = failed.value_or(not_now(route.host + " has no address"));
    co_return out;
}

// RFC 5321 section 5.1; RFC 7505 for the null MX.
net::Awaitable<Courier::Hops> Courier::mx_hops(const Route& route, bool waived) {
    Hops out;
    if (route.host.starts_with('[')) {
        auto failed = co_await add_host(out, route.host, route.port, false);
        if (out.hops.empty()) out.verdict = failed.value_or(not_now("bad address literal"));
        co_return out;
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
    for (std::size_t at = 0; at < hosts.size() && out.hops.size() < max_hops_tried; ++at) {
        const auto before = out.hops.size();
        if (at > 0 && hosts[at].preference != hosts[at - 1].preference) of_preference = before;
        auto problem = co_await add_host(out, hosts[at].host, route.port, secure && !waived);
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
        if (!failed) {
            failed = smtp::Reply{554, "5.4.6",
                                 "The mail servers of " + route.host +
                                     " lead back to this one, which does not have that domain"};
        }
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
                                                             bool dane_possible) {
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
    std::string literal = host;
    if (host.starts_with('[')) {
        literal = host.substr(1, host.size() - 2);
        if (literal.starts_with("IPv6:")) literal.erase(0, 5);
    }
    if (const auto numeric = wire::parse_ip(literal)) {
        hop.address = hop.peer.hostname = wire::to_string(*numeric);
        out.hops.push_back(std::move(hop));
        co_return std::nullopt;
    }
    const auto addresses = co_await resolver_.addresses(host);
    if (!addresses) co_return not_now(addresses.error().text);
    if (dane_possible && addresses->secure && config->outbound.dane &&
        config->outbound.tls != "off") {
        auto records = co_await resolver_.tlsa(host, port);
        // An attacker who can drop the answer must not be able to drop the protection.
        if (!records) co_return not_now("TLSA records of " + host + ": " + records.error().text);
        if (!records->empty()) {
            hop.tls = Tls::always;
            hop.peer.tlsa = std::move(*records);
        }
    }
    for (const auto& address : addresses->numeric) {
        hop.address = address;
        out.hops.push_back(hop);
    }
    co_return std::nullopt;
}

net::Awaitable<Carried> Courier::carry(const Route& route, std::shared_ptr<Line>& line,
                                       Parcel parcel) {
    const bool require_tls = parcel.message.parameters.require_tls;
    const bool strict_enough = line && (parcel.tls_waived || !line->hop().unpoliced) &&
                               (!require_tls || line->hop().verified());
    if (line && line->usable() && strict_enough) {
        const Hop hop = line->hop();
        auto out = co_await try_hop(route, hop, line, parcel);
        if (!out.unreachable) co_return out;
        // It had been closed meanwhile: begin anew.
    }
    if (line && line->usable()) co_await hang_up(line);
    line.reset();
    auto servers = co_await hops(route, parcel.tls_waived);
    if (require_tls && !servers.hops.empty()) {
        keep_verifiable(servers.hops);
        servers.verdict = smtp::Reply{550, "5.7.30",
                                      "The sender requires TLS all the way, and neither DNSSEC nor "
                                      "MTA-STS says which servers " +
                                          route.host + " has"};
    }
    if (servers.hops.empty())
        co_return carried(parcel, *servers.verdict, servers.verdict->code == 0);
    Carried last;
    std::size_t tried = 0;
    for (const auto& hop : servers.hops) {
        if (tried++ >= max_hops_tried) break;
        last = co_await try_hop(route, hop, line, parcel);
        if (!last.unreachable) break;
    }
    // What is asked of the servers here other mail does not ask: it need not wait.
    if (require_tls) last.unreachable = false;
    co_return last;
}

net::Awaitable<Carried> Courier::try_hop(const Route& route, const Hop& hop,
                                         std::shared_ptr<Line>& line, const Parcel& parcel) {
    const auto name = hop.host == hop.address ? hop.address : hop.host + "[" + hop.address + "]";
    const bool fresh = !line;
    if (fresh) {
        const auto until = net::Outgoing::Clock::now() + connect_timeout;
        auto connection = co_await dialer_.connect(hop.address, hop.port, until);
        if (!connection) {
            const smtp::Reply silence{0, "4.4.1", name + ": " + connection.error().text};
            co_return carried(parcel, silence, true);
        }
        line = std::make_shared<Line>(hop, std::move(*connection), client_config(route, hop));
    }
    auto result = co_await line->send(parcel);
    const bool opportunistic = hop.tls == Tls::if_offered;
    if (result.handshake_failed && opportunistic) {
        logging::info("TLS failed, going on in plaintext", {{"host", name}});
        line.reset();
        Hop plain = hop;
        plain.tls = Tls::never;
        co_return co_await try_hop(route, plain, line, parcel);
    }
    Carried out;
    out.replies = std::move(result.outcome.replies);
    if (out.replies.empty()) out = carried(parcel, {0, "4.4.2", name + ": connection lost"}, true);
    out.dsn_passed_on = result.outcome.dsn_passed_on;
    out.sender_refused = result.outcome.sender_refused;
    const bool nothing_said = std::all_of(out.replies.begin(), out.replies.end(),
                                          [](const auto& reply) { return reply.code == 0; });
    // On a kept line a closed connection says nothing of the server.
    out.unreachable = result.outcome.session_failed || (!fresh && nothing_said);
    for (auto& reply : out.replies) {
        const bool session = result.outcome.session_failed && reply.code >= 500;
        // A server that turns everybody away may be in trouble; the mail is not at fault.
        if (session) reply.code = 450;
        if (reply.code == 0) reply.text = name + ": " + reply.text;
    }
    out.server = name;
    out.tls = line->tls_protocol();
    if (!line->usable()) line.reset();
    co_return out;
}

net::Awaitable<void> Courier::hang_up(std::shared_ptr<Line>& line) {
    if (line) co_await line->quit();
    line.reset();
}

}  // namespace postern::outbound

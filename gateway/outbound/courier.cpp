#include "gateway/outbound/courier.h"

#include "gateway/log/log.h"
#include "gateway/outbound/line.h"

#include <algorithm>
#include <fstream>

namespace postern::outbound {

namespace {

using Tls = smtp::ClientConfig::Tls;

std::string read_secret(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

// In words of this side.
Carried carried(const Parcel& parcel, const smtp::Reply& reply, bool unreachable,
                std::string server = "") {
    Carried out;
    out.replies.assign(parcel.message.recipients.size(), smtp::ClientReply{reply});
    out.unreachable = unreachable;
    out.server = std::move(server);
    return out;
}

bool nothing_said(const Carried& carried) {
    return std::all_of(carried.replies.begin(), carried.replies.end(),
                       [](const auto& reply) { return reply.code == 0; });
}

// Whether the next server may do better (RFC 5321 section 5.1): this one broke down before it could
// have the message, or cannot take it for what it lacks. open: and it does not wait for us.
bool is_worth_another(const Carried& carried, bool open) {
    if (carried.in_doubt) return false;
    if (carried.unreachable) return true;
    if (open && nothing_said(carried)) return false;
    return std::none_of(carried.replies.begin(), carried.replies.end(),
                        [](const auto& reply) { return reply.by_server; });
}

bool is_final(const Carried& carried) {
    return !carried.replies.empty() &&
           std::all_of(carried.replies.begin(), carried.replies.end(),
                       [](const auto& reply) { return reply.code >= 500; });
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

net::Awaitable<Carried> Courier::carry(const Route& route, std::shared_ptr<Line>& line,
                                       Parcel parcel) {
    const bool require_tls = parcel.message.parameters.require_tls;
    const bool strict_enough = line && (parcel.tls_waived || !line->hop().unpoliced) &&
                               (!require_tls || line->hop().verified());
    if (line && line->usable() && strict_enough) {
        const Hop hop = line->hop();
        auto out = co_await try_hop(route, hop, line, parcel);
        if (!is_worth_another(out, line != nullptr)) co_return out;
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
        if (line) co_await hang_up(line);
        auto now = co_await try_hop(route, hop, line, parcel);
        // That one of them cannot take it at all is known, whatever keeps another from answering.
        if (!is_final(last) || !now.unreachable) last = std::move(now);
        if (!is_worth_another(last, line != nullptr)) break;
    }
    // What follows begins with the best of them again.
    if (line && tried > 1 && is_worth_another(last, true)) co_await hang_up(line);
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
            co_return carried(parcel, {0, "4.4.1", connection.error().text}, true, name);
        }
        line = std::make_shared<Line>(hop, std::move(*connection), client_config(route, hop),
                                      conversions_);
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
    if (out.replies.empty()) out = carried(parcel, {0, "4.4.2", "connection lost"}, true);
    out.dsn_passed_on = result.outcome.dsn_passed_on;
    out.in_doubt = result.outcome.in_doubt;
    out.sender_refused = result.outcome.sender_refused;
    // On a kept line a closed connection says nothing of the server.
    const bool lost = nothing_said(out) && !out.in_doubt && !line->usable();
    out.unreachable = result.outcome.session_failed || (!fresh && lost);
    // A server that turns everybody away may be in trouble; the mail is not at fault.
    out.turned_away = result.outcome.session_failed;
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

// Carries messages over the network: finds the servers of a route, speaks to them, and brings back
// what they said of each recipient. Knows nothing of queues or retries.
//
// Thread rule: coroutines on any core.
#pragma once

#include "gateway/config/current.h"
#include "gateway/dns/resolver.h"
#include "gateway/limits/inflight_budget.h"
#include "gateway/net/dialer.h"
#include "gateway/outbound/mta_sts.h"
#include "gateway/outbound/route.h"
#include "protocols/smtp/client.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::outbound {

inline constexpr std::size_t max_hops_tried = 6;  // addresses, for one message
// In memory, of all connections, for mail in conversion for servers that take less than it needs. A
// message for which there is no room is tried again later.
inline constexpr std::uint64_t max_conversion_bytes = 256 * 1024 * 1024;
inline constexpr std::chrono::seconds connect_timeout{30};
inline constexpr std::chrono::seconds tls_timeout{60};

// One server to try.
struct Hop {
    std::string host;     // as named
    std::string address;  // numeric
    std::uint16_t port = 25;
    smtp::ClientConfig::Tls tls = smtp::ClientConfig::Tls::if_offered;
    net::TlsPeer peer;
    // Its name is known to be right: DNSSEC, an MTA-STS policy or the configuration says so.
    bool vouched = false;

    // Nobody's policy was asked: not for messages that want it kept.
    bool unpoliced = false;

    // That, and the server must prove that it has the name.
    bool verified() const {
        const bool proves = peer.verify || !peer.tlsa.empty();
        return vouched && tls == smtp::ClientConfig::Tls::always && proves;
    }
};

struct Parcel {
    smtp::OutgoingMessage message;
    bool tls_waived = false;  // DANE and MTA-STS are not to stand in its way (RFC 8689 section 5)
    bool own = false;         // of a user of ours: its header may be rewritten (RFC 6409 section 8)
    // nullopt: it cannot be read.
    std::function<std::optional<std::string>(std::uint64_t offset, std::uint64_t length)> read;
};

struct Carried {
    std::vector<smtp::ClientReply> replies;  // one for each recipient; code 0: none came
    bool dsn_passed_on = false;
    bool unreachable = false;     // no server of the route could be spoken to
    bool in_doubt = false;        // a server may have it all the same
    bool sender_refused = false;  // the replies are what MAIL got
    bool turned_away = false;     // ... or what the whole session got: none is the mail's fault
    std::string server;           // "host[address]" that was tried last
    std::string tls;              // protocol; empty: plaintext
};

class Courier {
public:
    // policies: nullptr: nobody's MTA-STS policy is asked for.
    Courier(const config::Current& config, dns::Resolver& resolver, net::Dialer& dialer,
            StsPolicies* policies = nullptr)
        : config_(config), resolver_(resolver), dialer_(dialer), policies_(policies) {}

    // A connection to a route's server, kept between messages.
    class Line;

    net::Awaitable<Carried> carry(const Route& route, std::shared_ptr<Line>& line, Parcel parcel);
    // Says QUIT, and waits shortly for the answer.
    net::Awaitable<void> hang_up(std::shared_ptr<Line>& line);

private:
    struct Hops {
        std::vector<Hop> hops;
        std::optional<smtp::Reply> verdict;  // when there are none: what to say
    };
    // waived: DANE and MTA-STS play no part.
    net::Awaitable<Hops> hops(const Route& route, bool waived);
    net::Awaitable<Hops> host_hops(const Route& route);
    net::Awaitable<Hops> literal_hops(const Route& route);
    net::Awaitable<Hops> mx_hops(const Route& route, bool waived);
    net::Awaitable<std::optional<smtp::Reply>> add_servers(Hops& out, const Route& route,
                                                           const std::vector<dns::Mx>& hosts,
                                                           bool secure, bool waived);
    net::Awaitable<void> apply_policy(const Route& route, Hops& out);
    // next_hop: the domain whose MX records, vouched for by DNSSEC, name the host; empty: DANE
    // plays no part.
    net::Awaitable<std::optional<smtp::Reply>> add_host(Hops& out, std::string host,
                                                        std::uint16_t port,
                                                        std::string_view next_hop = {});
    net::Awaitable<Result<void>> add_dane(Hop& hop, const dns::Addresses& addresses,
                                          std::string_view next_hop);
    net::Awaitable<Carried> try_hop(const Route& route, const Hop& hop, std::shared_ptr<Line>& line,
                                    const Parcel& parcel);
    smtp::ClientConfig client_config(const Route& route, const Hop& hop) const;

    const config::Current& config_;
    dns::Resolver& resolver_;
    net::Dialer& dialer_;
    StsPolicies* policies_;
    limits::InflightBudget conversions_{max_conversion_bytes};
};

}  // namespace postern::outbound

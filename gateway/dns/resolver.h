// DNS, validated (DNSSEC), without ever blocking a core. The one door to libunbound.
//
// Thread rule: lookups from coroutines on any core, several at once.
#pragma once

#include "gateway/net/awaitable.h"
#include "gateway/net/dialer.h"
#include "protocols/base/result.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::dns {

struct Options {
    std::vector<std::string> servers;  // "192.0.2.1" or "192.0.2.1@5353"; empty: from the root down
    std::string trust_anchor_file;     // DS or DNSKEY records of the root; empty: nothing validates
    std::chrono::milliseconds timeout{20'000};  // for a whole lookup
};

// Raw answer to one question. An Error is "could not be found out": unavailable (time-out, no
// server answers, SERVFAIL), corrupt (DNSSEC says that it was forged).
struct Answer {
    bool secure = false;            // validated by DNSSEC
    bool no_such_name = false;      // NXDOMAIN
    std::string canonical;          // where CNAMEs lead, lower case; empty: there are none
    std::vector<std::string> data;  // RDATA of each record, as on the wire
};

enum class Type : std::uint16_t {
    a = 1,
    cname = 5,
    ptr = 12,
    mx = 15,
    txt = 16,
    aaaa = 28,
    tlsa = 52
};

struct Mx {
    std::uint16_t preference = 0;
    std::string host;  // lower case, without the dot at the end; empty: "." (RFC 7505)
};
struct MxAnswer {
    bool secure = false;
    bool no_such_domain = false;
    std::vector<Mx> hosts;  // by preference, those of one in random order
};
struct Addresses {
    bool secure = false;    // the whole way, over CNAMEs too
    bool aliased = false;   // by CNAMEs
    std::string canonical;  // where they lead, if both kinds say the same
    std::vector<std::string> numeric;
};

class Resolver {
public:
    // Errors: invalid (a server, the trust anchor), unavailable.
    static Result<std::unique_ptr<Resolver>> make(const Options& options);
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    net::Awaitable<Result<Answer>> look_up(std::string name, Type type);
    net::Awaitable<Result<MxAnswer>> mx(std::string domain);
    // IPv6 and IPv4 addresses of a host, in turns; empty: it has none.
    net::Awaitable<Result<Addresses>> addresses(std::string host);
    // Only those that DNSSEC vouches for; none where it does not.
    net::Awaitable<Result<std::vector<net::Tlsa>>> tlsa(std::string host, std::uint16_t port);
    // The strings of each record joined.
    net::Awaitable<Result<std::vector<std::string>>> txt(std::string name);

    // Any thread. Lookups under way and later ones end with `unavailable`.
    void shut_down();

private:
    struct State;
    explicit Resolver(std::unique_ptr<State> state);
    const std::unique_ptr<State> state_;
};

// A name inside RDATA, without compression (RFC 1035 section 3.1), lower case; "" for the root;
// nullopt: not well-formed.
std::optional<std::string> name_from_rdata(std::string_view rdata, std::size_t offset);

}  // namespace postern::dns

// Connections that the gateway opens itself.
//
// A coroutine uses a connection on its own core from beginning to end. shut_down() of the Dialer
// makes every wait end at once, so that no job outlives the server's grace.
#pragma once

#include "gateway/net/awaitable.h"
#include "protocols/base/result.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::net {

// TLSA record (RFC 6698) as DNS gives it.
struct Tlsa {
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching = 0;
    std::string data;
    // Of those that count for SMTP (RFC 7672 section 3.1.3), and well-formed.
    bool is_usable() const;
};

// Whom to trust in a handshake that we begin. With neither `tlsa` nor `verify` anybody: encrypted,
// not authenticated, which is what opportunistic TLS between mail servers means (RFC 7435).
struct TlsPeer {
    std::string hostname;    // or a numeric address; for SNI (a name), and for the certificate
    bool verify = false;     // a chain to ca_file, and the host name or address
    std::string ca_file;     // PEM; empty: the system's
    // DANE (RFC 7672): one that can be used must match, and with DANE-TA(2) a name: the host's or
    // one of these.
    std::vector<Tlsa> tlsa;
    std::vector<std::string> more_names;
};

class Outgoing {
public:
    using Clock = std::chrono::steady_clock;

    virtual ~Outgoing() = default;
    // Bytes as they come; empty: the peer closed. Errors: unavailable (broken, too late,
    // cancelled).
    virtual Awaitable<Result<std::string>> read(Clock::time_point deadline) = 0;
    virtual Awaitable<Result<void>> write(std::string_view bytes, Clock::time_point deadline) = 0;
    virtual Awaitable<Result<void>> start_tls(TlsPeer peer, Clock::time_point deadline) = 0;
    virtual std::string tls_protocol() const = 0;  // empty: none
};

class Dialer {
public:
    Dialer();
    ~Dialer();
    Dialer(const Dialer&) = delete;
    Dialer& operator=(const Dialer&) = delete;

    // address: numeric. Errors: unavailable (refused, unreachable, too late), invalid (address).
    Awaitable<Result<std::unique_ptr<Outgoing>>> connect(std::string address, std::uint16_t port,
                                                         Outgoing::Clock::time_point deadline);
    // Any thread. What waits, and what is opened later, ends with `unavailable`.
    void shut_down();

    struct Shared;

private:
    const std::shared_ptr<Shared> shared_;
};

}  // namespace postern::net

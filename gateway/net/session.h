// What a service may know of and do to the connection that it serves.
#pragma once

#include "gateway/log/log.h"
#include "gateway/net/awaitable.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace postern::net {

// Wakes a session from any thread, for instance from a store's watch callback: the conversation's
// woken() is called soon, on its core. Wakes are joined; waking a session that is gone does
// nothing.
class Waker {
public:
    virtual ~Waker() = default;
    virtual void wake() = 0;
};

// Lives as long as the conversation. Functions on the session's own core only.
class Session {
public:
    virtual ~Session() = default;

    virtual const std::string& id() const = 0;  // 12 hex digits, in every log line of the session
    virtual const std::string& peer_address()
        const = 0;  // numeric, IPv4 also when mapped into IPv6
    // What a trusted peer says of whom it speaks for (XCLIENT).
    virtual void set_peer_address(std::string) {}
    virtual bool tls() const = 0;
    virtual std::string tls_protocol() const = 0;  // "TLSv1.3"; empty: no TLS
    virtual std::string tls_cipher() const = 0;
    // What ties a login to this TLS connection (RFC 9266, RFC 5929): "tls-exporter",
    // "tls-server-end-point". Empty: no TLS, or no such type.
    virtual std::string channel_binding(std::string_view) const { return {}; }
    virtual std::shared_ptr<Waker> waker() = 0;
    // Waits on purpose, as after a wrong password; ends early when the server stops.
    virtual Awaitable<void> pause(std::chrono::milliseconds duration) = 0;

    // One line with the session's id, protocol and peer in front of `fields`.
    virtual void log(logging::Level level, std::string_view event, logging::Fields fields) = 0;
};

}  // namespace postern::net

// The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): what a proxy in front says
// of the client before the client's own first byte.
//
//   while state() == more: read exactly wanted() bytes or fewer, feed() them.
//
// Never wants a byte that belongs to the client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::wire {

inline constexpr std::size_t max_proxy_v1_bytes = 107;   // with CRLF
inline constexpr std::size_t max_proxy_v2_bytes = 4096;  // addresses and TLVs; more is refused

class ProxyHeader {
public:
    enum class State : std::uint8_t { more, done, malformed };

    State state() const { return state_; }
    std::size_t wanted() const { return wanted_; }
    void feed(std::string_view bytes);

    // Once done. Empty: the proxy speaks for itself (LOCAL, UNKNOWN), so its own address counts.
    const std::string& client_address() const { return client_address_; }  // numeric
    std::uint16_t client_port() const { return client_port_; }

private:
    void look();
    void look_v1();
    void look_v2();
    void fail() { state_ = State::malformed; }

    State state_ = State::more;
    std::size_t wanted_ = 8;  // both versions are longer, and differ by then
    std::string bytes_;
    std::string client_address_;
    std::uint16_t client_port_ = 0;
};

}  // namespace postern::wire

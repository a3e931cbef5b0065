#include "gateway/net/connection.h"
#include "protocols/wire/proxy_header.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace postern::net {

// Reads no byte beyond the header: what follows may be a TLS handshake, which is OpenSSL's to read.
Awaitable<bool> Connection::read_proxy_header() {
    using State = wire::ProxyHeader::State;
    wire::ProxyHeader header;
    const auto deadline = Clock::now() + shared_.handshake_timeout;
    std::array<char, wire::max_proxy_v1_bytes> buffer;
    while (header.state() == State::more) {
        const auto wanted = std::min(header.wanted(), buffer.size());
        const auto got = ::recv(socket_.native_handle(), buffer.data(), wanted, 0);
        if (got > 0) {
            header.feed({buffer.data(), static_cast<std::size_t>(got)});
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        const bool may_come = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        const bool ready = may_come && co_await wait_for_socket(Io::needs_read, deadline);
        if (ready) continue;
        // Health checks of proxies connect and go.
        log(logging::Level::debug, "no PROXY header", {});
        co_return false;
    }
    if (header.state() == State::malformed) {
        log(logging::Level::warning, "bad PROXY header",
            {{"hint", "trusted.proxy_protocol says that this peer is a proxy"}});
        co_return false;
    }
    if (!header.client_address().empty()) peer_address_ = header.client_address();
    co_return admit_client();
}

bool Connection::admit_client() {
    ticket_ = listener_.limits->admit(peer_address_);
    if (ticket_) return true;
    log(logging::Level::warning, "too many connections", {});
    if (!listener_.implicit_tls && listener_.refusal) {
        const auto line = listener_.refusal();
        (void)::send(socket_.native_handle(), line.data(), line.size(), MSG_NOSIGNAL);
    }
    return false;
}

}  // namespace postern::net

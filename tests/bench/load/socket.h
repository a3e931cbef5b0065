// Loopback TCP sockets and epoll for the load programs. Errors end the program: a figure from a run
// that went wrong is worth nothing.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

namespace postern::bench {

[[noreturn]] inline void fail(const char* what) {
    std::cerr << what << ": " << std::strerror(errno) << '\n';
    std::exit(1);
}

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline void make_prompt(int socket) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

inline int connect_loopback(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto address = loopback(port);
    if (socket < 0 || connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address))
        fail("connect");
    make_prompt(socket);
    return socket;
}

// Several sockets may listen on a port; the connections are shared out among them.
inline int listen_loopback(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    const auto address = loopback(port);
    setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address)) fail("bind");
    if (listen(socket, 1024)) fail("listen");
    make_prompt(socket);
    return socket;
}

inline std::uint16_t port_of(int socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size)) fail("getsockname");
    return ntohs(address.sin_port);
}

inline void watch(int epoll, int socket, std::uint32_t events, std::uint64_t tag, bool fresh) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = tag;
    if (epoll_ctl(epoll, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event)) fail("epoll_ctl");
}

// Bytes written of text; 0 when the socket is full.
inline std::size_t write_some(int socket, std::string_view text) {
    const auto written = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (written >= 0) return static_cast<std::size_t>(written);
    if (errno == EAGAIN || errno == EINTR) return 0;
    fail("send");
}

}  // namespace postern::bench

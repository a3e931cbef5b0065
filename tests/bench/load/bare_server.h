// Loopback servers that do no more than a protocol asks for: what a load program reaches against
// one of them is the limit of this machine, its kernel and the load program itself.
#pragma once

#include "tests/bench/load/socket.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace postern::bench {

// Serves from one thread what it accepts.
//
// Engine::Peer is what it knows of one connection. Engine offers
//   std::string_view greeting() const
//   std::string take(Peer&, std::string_view bytes, bool& quit)   the answers to them
//   void before_answers()    called once between what came at once and the answers to it
template <class Engine>
class BareServer {
public:
    // Port 0: the system's choice.
    BareServer(Engine engine, std::uint16_t port)
        : engine_(std::move(engine)), listener_(listen_loopback(port)), epoll_(epoll_create1(0)) {
        watch(epoll_, listener_, EPOLLIN, std::uint64_t(listener_), true);
        watch(epoll_, STDIN_FILENO, EPOLLIN, STDIN_FILENO, true);
    }

    std::uint16_t port() const { return port_of(listener_); }

    // Ends with stdin.
    void run() {
        epoll_event events[256];
        std::vector<int> answered;
        for (;;) {
            const int count = epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < count; ++i) {
                const int socket = int(events[i].data.u64);
                if (socket == STDIN_FILENO) return;
                if (socket == listener_) {
                    accept_all();
                } else {
                    if ((events[i].events & ~std::uint32_t(EPOLLOUT)) != 0) receive(socket);
                    answered.push_back(socket);
                }
            }
            engine_.before_answers();
            for (const int socket : answered) send_out(socket);
            answered.clear();
        }
    }

private:
    struct Connection {
        typename Engine::Peer peer;
        std::string out;
        std::size_t written = 0;
        bool full = false;
        bool quit = false;
    };

    void accept_all() {
        for (int socket; (socket = accept(listener_, nullptr, nullptr)) >= 0;) {
            make_prompt(socket);
            connections_[socket].out = engine_.greeting();
            watch(epoll_, socket, EPOLLIN, std::uint64_t(socket), true);
            send_out(socket);
        }
    }

    void receive(int socket) {
        char buffer[65536];
        const auto got = recv(socket, buffer, sizeof buffer, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        Connection& connection = connections_.at(socket);
        connection.quit |= got <= 0;
        if (got <= 0) return;
        connection.out +=
            engine_.take(connection.peer, {buffer, static_cast<std::size_t>(got)}, connection.quit);
    }

    void send_out(int socket) {
        Connection& connection = connections_.at(socket);
        auto& [peer, out, written, full, quit] = connection;
        while (written < out.size()) {
            const std::size_t some = write_some(socket, std::string_view(out).substr(written));
            if (some == 0) break;
            written += some;
        }
        const bool sent = written == out.size();
        if (sent) {
            out.clear();
            written = 0;
        }
        if (quit) {
            connections_.erase(socket);
            close(socket);
            return;
        }
        if (full == !sent) return;
        full = !sent;
        watch(epoll_, socket, EPOLLIN | (full ? EPOLLOUT : 0u), std::uint64_t(socket), false);
    }

    Engine engine_;
    int listener_;
    int epoll_;
    std::unordered_map<int, Connection> connections_;
};

// Prints its port and serves from a thread for each core, among which the kernel shares out the
// connections, until stdin ends.
template <class Engine>
void serve_bare(const Engine& engine) {
    BareServer<Engine> first(engine, 0);
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) {
        auto another = std::make_shared<BareServer<Engine>>(engine, first.port());
        threads.emplace_back([another] { another->run(); });
    }
    std::cout << first.port() << '\n' << std::flush;
    first.run();
    for (auto& thread : threads) thread.join();
}

}  // namespace postern::bench

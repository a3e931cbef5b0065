// The cheapest SMTP server there can be: says yes, forgets everything. What smtp_load reaches
// against it is the limit of loopback and of the load program itself. Prints its port; ends with
// its stdin.
#include "tests/bench/load/socket.h"

#include <algorithm>
#include <unordered_map>

namespace postern::bench {
namespace {

struct Peer {
    bool in_data = false;
    std::string in;
};

constexpr std::string_view end_of_data = "\r\n.\r\n";

// What to answer to the input so far; consumes it.
std::string answers(Peer& peer, bool& quit) {
    std::string out;
    for (;;) {
        if (peer.in_data) {
            const auto end = peer.in.find(end_of_data);
            if (end == std::string::npos) {
                // Only the tail can still become part of the mark.
                if (peer.in.size() > end_of_data.size()) peer.in.erase(0, peer.in.size() - 4);
                return out;
            }
            peer.in.erase(0, end + end_of_data.size());
            peer.in_data = false;
            out += "250 ok\r\n";
            continue;
        }
        const auto end = peer.in.find('\n');
        if (end == std::string::npos) return out;
        const char verb = peer.in[0];
        peer.in.erase(0, end + 1);
        peer.in_data = verb == 'D';
        quit = verb == 'Q';
        out += peer.in_data ? "354 go\r\n" : quit ? "221 bye\r\n" : "250 ok\r\n";
    }
}

class Sink {
public:
    Sink() : listener_(listen_loopback(0)), epoll_(epoll_create1(0)) {
        watch(epoll_, listener_, EPOLLIN, std::uint64_t(listener_), true);
        watch(epoll_, STDIN_FILENO, EPOLLIN, STDIN_FILENO, true);
    }

    void run() {
        std::cout << port_of(listener_) << '\n' << std::flush;
        epoll_event events[256];
        for (;;) {
            const int count = epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < count; ++i) {
                const int socket = int(events[i].data.u64);
                if (socket == STDIN_FILENO) return;
                socket == listener_ ? accept_all() : serve(socket);
            }
        }
    }

private:
    void accept_all() {
        for (int socket; (socket = accept(listener_, nullptr, nullptr)) >= 0;) {
            make_prompt(socket);
            peers_[socket] = Peer{};
            watch(epoll_, socket, EPOLLIN, std::uint64_t(socket), true);
            write_some(socket, "220 sink\r\n");
        }
    }

    void serve(int socket) {
        char buffer[65536];
        const auto got = recv(socket, buffer, sizeof buffer, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        bool quit = got <= 0;
        if (got > 0) {
            auto& peer = peers_[socket];
            peer.in.append(buffer, static_cast<std::size_t>(got));
            write_some(socket, answers(peer, quit));
        }
        if (!quit) return;
        peers_.erase(socket);
        close(socket);
    }

    int listener_;
    int epoll_;
    std::unordered_map<int, Peer> peers_;
};

}  // namespace
}  // namespace postern::bench

int main() {
    postern::bench::Sink().run();
}

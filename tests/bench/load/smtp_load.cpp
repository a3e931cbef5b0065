// Sends messages over many SMTP sessions at once, from one thread, and prints one line of JSON.
//
//   smtp_load --port N --files LIST --recipients LIST [--messages N] [--sessions N]
//             [--per-connection N]
//
// A LIST holds one path, or one address, a line. Each session sends MAIL, RCPT and DATA in one
// write, waits for 354, sends the message and waits for its reply.
#include "tests/bench/load/options.h"
#include "tests/bench/load/socket.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>
#include <vector>

namespace postern::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int silence_limit_ms = 60'000;

std::vector<std::string> read_lines(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        if (!line.empty()) lines.push_back(line);
    if (!lines.empty()) return lines;
    std::cerr << path << ": no lines\n";
    std::exit(2);
}

// The file as it goes over the wire after DATA: no mbox line, CRLF, dots doubled, the final dot.
std::string wire_form(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string out, line;
    for (bool first = true; std::getline(file, line); first = false) {
        if (first && line.rfind("From ", 0) == 0) continue;
        line.erase(std::remove(line.begin(), line.end(), '\r'), line.end());
        if (!line.empty() && line[0] == '.') out += '.';
        out += line;
        out += "\r\n";
    }
    return out + ".\r\n";
}

enum class Step { greeting, ready, envelope, body, quit };

struct Session {
    int socket = -1;
    Step step = Step::greeting;
    unsigned replies_due = 1;
    unsigned sent = 0;        // messages on this connection
    std::size_t message = 0;  // the one under way
    std::string in;
    std::string_view out;  // what the socket did not take yet
    std::string command;   // what `out` may point into
    Clock::time_point body_sent;
};

class Load {
public:
    explicit Load(const Options& options)
        : port_(static_cast<std::uint16_t>(options.number("--port", 25))),
          wanted_(options.number("--messages", 1000)),
          per_connection_(options.number("--per-connection", 100)),
          recipients_(read_lines(options.text("--recipients"))),
          epoll_(epoll_create1(0)),
          sessions_(std::min(options.number("--sessions", 20), wanted_)) {
        for (const auto& path : read_lines(options.text("--files")))
            bodies_.push_back(wire_form(path));
    }

    int run() {
        started_ = Clock::now();
        for (std::size_t i = 0; i < sessions_.size(); ++i) open(i);
        epoll_event events[256];
        while (open_ > 0) {
            const int count = epoll_wait(epoll_, events, 256, silence_limit_ms);
            if (count == 0) {
                std::cerr << "no answer for " << silence_limit_ms << " ms\n";
                return 1;
            }
            for (int i = 0; i < count; ++i) handle(sessions_[events[i].data.u64], events[i].events);
        }
        report();
        return refused_ == 0 ? 0 : 1;
    }

private:
    void open(std::size_t number) {
        sessions_[number] = Session{};
        sessions_[number].socket = connect_loopback(port_);
        watch(epoll_, sessions_[number].socket, EPOLLIN, number, true);
        ++open_;
    }

    std::size_t number_of(const Session& session) const { return &session - sessions_.data(); }

    void handle(Session& session, std::uint32_t events) {
        if (events & EPOLLOUT) flush(session);
        if (events & ~std::uint32_t{EPOLLOUT}) receive(session);
    }

    void receive(Session& session) {
        char buffer[16384];
        const auto got = recv(session.socket, buffer, sizeof buffer, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) return ended(session);
        session.in.append(buffer, static_cast<std::size_t>(got));
        std::size_t end = 0;
        while ((end = session.in.find('\n')) != std::string::npos) {
            const std::string line = session.in.substr(0, end);
            session.in.erase(0, end + 1);
            const bool last_of_reply = line.size() > 3 && line[3] == ' ';
            if (last_of_reply && --session.replies_due == 0) advance(session, line);
        }
    }

    void ended(Session& session) {
        close(session.socket);
        --open_;
        if (session.step != Step::quit) {
            std::cerr << "the server closed a session in its middle\n";
            std::exit(1);
        }
        if (begun_ < wanted_) open(number_of(session));
    }

    void advance(Session& session, const std::string& reply) {
        switch (session.step) {
            case Step::greeting:
                return say(session, Step::ready, "EHLO load.example\r\n", 1);
            case Step::ready:
                return next_message(session);
            case Step::envelope:
                return send_body(session, reply);
            case Step::body:
                latencies_.push_back(Clock::now() - session.body_sent);
                reply[0] == '2' ? void(++accepted_) : refused(reply);
                return next_message(session);
            case Step::quit:
                return;
        }
    }

    void next_message(Session& session) {
        if (begun_ == wanted_ || session.sent == per_connection_)
            return say(session, Step::quit, "QUIT\r\n", 1);
        ++session.sent;
        session.message = begun_++;
        say(session, Step::envelope,
            "MAIL FROM:<sender@load.example>\r\nRCPT TO:<" +
                recipients_[session.message % recipients_.size()] + ">\r\nDATA\r\n",
            3);
    }

    void send_body(Session& session, const std::string& reply) {
        if (reply[0] != '3') {
            refused(reply);
            return say(session, Step::ready, "RSET\r\n", 1);
        }
        session.step = Step::body;
        session.replies_due = 1;
        session.body_sent = Clock::now();
        session.out = bodies_[session.message % bodies_.size()];
        flush(session);
    }

    void say(Session& session, Step step, std::string command, unsigned replies) {
        session.step = step;
        session.replies_due = replies;
        session.command = std::move(command);
        session.out = session.command;
        flush(session);
    }

    void flush(Session& session) {
        session.out.remove_prefix(write_some(session.socket, session.out));
        const std::uint32_t events = session.out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
        watch(epoll_, session.socket, events, number_of(session), false);
    }

    void refused(const std::string& reply) {
        if (refused_++ == 0) std::cerr << "first refusal: " << reply << '\n';
    }

    double latency_ms(double share) {
        if (latencies_.empty()) return 0;
        const auto at = latencies_.begin() + std::ptrdiff_t(share * double(latencies_.size() - 1));
        std::nth_element(latencies_.begin(), at, latencies_.end());
        return std::chrono::duration<double, std::milli>(*at).count();
    }

    void report() {
        const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
        std::cout << "{\"accepted\": " << accepted_ << ", \"refused\": " << refused_
                  << ", \"seconds\": " << seconds << ", \"p50_ms\": " << latency_ms(0.5)
                  << ", \"p99_ms\": " << latency_ms(0.99) << "}\n";
    }

    std::uint16_t port_;
    std::size_t wanted_;
    std::size_t per_connection_;
    std::vector<std::string> recipients_;
    std::vector<std::string> bodies_;
    int epoll_;
    std::vector<Session> sessions_;
    std::size_t begun_ = 0, accepted_ = 0, refused_ = 0, open_ = 0;
    std::vector<Clock::duration> latencies_;  // from the last byte sent to the reply
    Clock::time_point started_;
};

}  // namespace
}  // namespace postern::bench

int main(int count, char** words) {
    return postern::bench::Load(postern::bench::Options(count, words)).run();
}

// Runs mixed IMAP commands over many sessions at once, from one thread, and prints one line of
// JSON.
//
//   imap_load --port N --users LIST --password WORD [--clients N] [--seconds N] [--messages N]
//             [--fill N] [--only NAME]
//
// LIST holds one login name a line; clients take them in turn. Before the clock starts each client
// logs in, and the first client of each user fills the INBOX with --fill small messages. Commands
// are about the first --messages of them, as many if not given. --only: one command of the mix.
#include "tests/bench/load/options.h"
#include "tests/bench/load/socket.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <random>
#include <vector>

namespace postern::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int silence_limit_ms = 60'000;

struct Weighted {
    const char* name;
    unsigned weight;
};
constexpr Weighted mix[] = {{"noop", 5},      {"select", 5}, {"flags", 20},
                            {"envelope", 20}, {"body", 15},  {"store", 15},
                            {"search", 10},   {"status", 5}, {"append", 5}};

std::vector<Weighted> chosen(const std::string& only) {
    std::vector<Weighted> some;
    for (const auto& each : mix) {
        if (only.empty() || only == each.name) some.push_back(each);
    }
    if (some.empty()) std::exit(2);
    return some;
}

std::string message(unsigned number) {
    std::string out = "From: sender@remote.example\r\nTo: reader@example.net\r\nSubject: message " +
                      std::to_string(number) +
                      "\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <" +
                      std::to_string(number) + "@remote.example>\r\n\r\n";
    for (int line = 0; line < 40; ++line) {
        out += "A line of a message that is about as long as lines of messages are.\r\n";
    }
    return out;
}

struct Client {
    int socket = -1;
    std::string user;
    std::string in;
    std::string out;
    std::size_t written = 0;
    unsigned tag = 0;
    unsigned to_append = 0;
    enum class State { greeting, login, select, fill, ready } state = State::greeting;
};

class Load {
public:
    explicit Load(const Options& options)
        : messages_(static_cast<unsigned>(options.number("--messages", 500))),
          fill_(static_cast<unsigned>(options.number("--fill", messages_))),
          seconds_(options.number("--seconds", 10)),
          password_(options.text("--password")),
          mix_(chosen(options.text("--only", ""))),
          random_(7) {
        std::ifstream file(options.text("--users"));
        for (std::string line; std::getline(file, line);) users_.push_back(line);
        if (users_.empty()) std::exit(2);
        const auto port = static_cast<std::uint16_t>(options.number("--port", 0));
        epoll_ = epoll_create1(0);
        clients_.resize(options.number("--clients", 20));
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            clients_[i].socket = connect_loopback(port);
            clients_[i].user = users_[i % users_.size()];
            if (i < users_.size()) clients_[i].to_append = fill_;
            watch(epoll_, clients_[i].socket, EPOLLIN, i, true);
        }
    }

    void run() {
        while (!over_) {
            epoll_event events[64];
            const int count = epoll_wait(epoll_, events, 64, silence_limit_ms);
            if (count == 0) fail("the server is silent");
            for (int i = 0; i < count; ++i) serve(events[i].data.u64);
        }
        const std::chrono::duration<double> taken = Clock::now() - started_;
        std::sort(times_.begin(), times_.end());
        std::cout << "{\"commands\": " << done_ << ", \"seconds\": " << taken.count()
                  << ", \"p50_ms\": " << at(0.5) << ", \"p99_ms\": " << at(0.99) << "}\n";
    }

private:
    double at(double share) const {
        if (times_.empty()) return 0;
        return times_[static_cast<std::size_t>(share * static_cast<double>(times_.size() - 1))];
    }

    void serve(std::uint64_t index) {
        Client& client = clients_[index];
        char buffer[64 * 1024];
        for (;;) {
            const auto got = recv(client.socket, buffer, sizeof buffer, 0);
            if (got == 0) fail("the server closed");
            if (got < 0) break;
            client.in.append(buffer, static_cast<std::size_t>(got));
        }
        if (answered(client)) next(client, index);
        push(client, index);
    }

    // Whether the tagged answer (or the greeting) is there; an untagged line cannot look like it
    // here.
    bool answered(Client& client) {
        const std::string wanted =
            client.state == Client::State::greeting ? "* OK" : std::to_string(client.tag) + "t ";
        if (!client.in.ends_with("\r\n")) return false;
        const std::size_t before = client.in.rfind('\n', client.in.size() - 2);
        const std::size_t found = before == std::string::npos ? 0 : before + 1;
        if (client.in.compare(found, wanted.size(), wanted) != 0) return false;
        const bool good = client.state == Client::State::greeting ||
                          client.in.compare(found + wanted.size(), 2, "OK") == 0;
        if (!good) {
            std::cerr << client.in.substr(found) << '\n';
            std::exit(1);
        }
        client.in.clear();
        return true;
    }

    void next(Client& client, std::uint64_t index) {
        using State = Client::State;
        if (running_ && client.state == State::ready && sent_.size() > index) {
            const std::chrono::duration<double, std::milli> time = Clock::now() - sent_[index];
            times_.push_back(time.count());
            ++done_;
        }
        switch (client.state) {
            case State::greeting:
                client.state = State::login;
                return say(client, "LOGIN " + client.user + ' ' + password_);
            case State::login:
                client.state = State::select;
                return say(client, "SELECT INBOX");
            case State::select:
                client.state = State::fill;
                [[fallthrough]];
            case State::fill:
                if (client.to_append > 0) return append(client, client.to_append--);
                client.state = State::ready;
                if (++ready_ < clients_.size()) return;
                return begin();
            case State::ready:
                over_ = over_ || Clock::now() >= started_ + std::chrono::seconds(seconds_);
                sent_[index] = Clock::now();
                return mixed(client);
        }
    }

    void begin() {
        running_ = true;
        started_ = Clock::now();
        sent_.assign(clients_.size(), started_);
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            mixed(clients_[i]);
            push(clients_[i], i);
        }
    }

    void mixed(Client& client) {
        unsigned total = 0;
        for (const auto& each : mix_) total += each.weight;
        unsigned at = random_() % total;
        const Weighted* chosen = mix_.data();
        while (at >= chosen->weight) at -= (chosen++)->weight;
        const std::string name = chosen->name;
        const unsigned one = 1 + random_() % messages_;
        const std::string range = std::to_string(one) + ':' + std::to_string(one + 19);
        if (name == "noop") return say(client, "NOOP");
        if (name == "select") return say(client, "SELECT INBOX");
        if (name == "flags") return say(client, "UID FETCH " + range + " (FLAGS)");
        if (name == "envelope") {
            return say(client, "UID FETCH " + range + " (ENVELOPE INTERNALDATE RFC822.SIZE)");
        }
        if (name == "body") {
            return say(client, "UID FETCH " + std::to_string(one) + " (BODY.PEEK[])");
        }
        if (name == "store") {
            const bool adds = random_() % 2 == 0;
            return say(client, "UID STORE " + std::to_string(one) +
                                   (adds ? " +FLAGS.SILENT" : " -FLAGS.SILENT") +
                                   " (\\Seen \\Flagged)");
        }
        if (name == "search") return say(client, "UID SEARCH UNSEEN");
        if (name == "status") return say(client, "STATUS Sent (MESSAGES UNSEEN)");
        append(client, one);
    }

    void append(Client& client, unsigned number) {
        const std::string body = message(number);
        say(client, "APPEND INBOX {" + std::to_string(body.size()) + "+}\r\n" + body);
    }

    void say(Client& client, const std::string& command) {
        client.out += std::to_string(++client.tag) + "t " + command + "\r\n";
    }

    void push(Client& client, std::uint64_t index) {
        while (client.written < client.out.size()) {
            const std::size_t some =
                write_some(client.socket, std::string_view(client.out).substr(client.written));
            if (some == 0) break;
            client.written += some;
        }
        const bool all = client.written == client.out.size();
        if (all) {
            client.out.clear();
            client.written = 0;
        }
        watch(epoll_, client.socket, all ? EPOLLIN : EPOLLIN | EPOLLOUT, index, false);
    }

    unsigned messages_;
    unsigned fill_;
    unsigned long seconds_;
    std::string password_;
    std::vector<Weighted> mix_;
    std::mt19937 random_;
    std::vector<std::string> users_;
    int epoll_ = -1;
    std::vector<Client> clients_;
    std::size_t ready_ = 0;
    bool running_ = false;
    bool over_ = false;
    Clock::time_point started_;
    std::vector<Clock::time_point> sent_;
    std::vector<double> times_;
    unsigned long done_ = 0;
};

}  // namespace
}  // namespace postern::bench

int main(int count, char** words) {
    const postern::bench::Options options(count, words);
    postern::bench::Load(options).run();
}

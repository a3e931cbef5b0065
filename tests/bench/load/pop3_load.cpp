// Reads maildrops by RETR over many POP3 sessions at once, from one thread. Prints "begin" when all
// have logged in and the clock starts, and one line of JSON when it ends.
//
//   pop3_load --port N --users LIST --password WORD [--clients N] [--batch N] [--seconds N]
//
// LIST holds one login name a line; a maildrop belongs to one session, so there must be as many as
// --clients. Each session asks for all its messages from first to last, again and again, --batch
// RETRs at a time.
#include "tests/bench/load/options.h"
#include "tests/bench/load/socket.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <vector>

namespace postern::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int silence_limit_ms = 60'000;
constexpr std::size_t read_bytes = 256 * 1024;
constexpr std::string_view end_of_message = "\r\n.\r\n";

struct Client {
    int socket = -1;
    std::string user;
    std::string out;
    std::size_t written = 0;
    unsigned long messages = 0;
    unsigned long next = 1;
    unsigned long under_way = 0;
    std::string line;          // a reply outside of messages, as far as it came
    std::size_t end_seen = 0;  // so much of end_of_message
    bool in_message = false;
    enum class State { greeting, user, pass, stat, ready } state = State::greeting;
};

class Load {
public:
    explicit Load(const Options& options)
        : batch_(std::max(options.number("--batch", 1), 1ul)),
          seconds_(options.number("--seconds", 5)),
          password_(options.text("--password")),
          buffer_(read_bytes, '\0') {
        std::ifstream file(options.text("--users"));
        std::vector<std::string> users;
        for (std::string line; std::getline(file, line);) users.push_back(line);
        const auto port = static_cast<std::uint16_t>(options.number("--port", 0));
        epoll_ = epoll_create1(0);
        clients_.resize(options.number("--clients", 1));
        if (users.size() < clients_.size()) {
            std::cerr << "too few users: a maildrop takes one session\n";
            std::exit(2);
        }
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            clients_[i].socket = connect_loopback(port);
            clients_[i].user = users[i];
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
        std::cout << "{\"retrs\": " << done_ << ", \"bytes\": " << bytes_
                  << ", \"seconds\": " << taken.count() << "}\n";
    }

private:
    void serve(std::uint64_t index) {
        Client& client = clients_[index];
        for (;;) {
            const auto got = recv(client.socket, buffer_.data(), buffer_.size(), 0);
            if (got == 0) fail("the server closed");
            if (got < 0) break;
            take(client, {buffer_.data(), static_cast<std::size_t>(got)});
            if (static_cast<std::size_t>(got) < buffer_.size()) break;
        }
        if (client.state == Client::State::ready && running_) ask(client);
        push(client, index);
    }

    void take(Client& client, std::string_view bytes) {
        if (running_) bytes_ += bytes.size();
        while (!bytes.empty()) {
            if (client.in_message) {
                skip_message(client, bytes);
                continue;
            }
            const std::size_t lf = bytes.find('\n');
            client.line.append(bytes.substr(0, lf));
            if (lf == std::string_view::npos) return;
            bytes.remove_prefix(lf + 1);
            replied(client);
            client.line.clear();
        }
    }

    // Takes what belongs to the message off the front. The end may come in two pieces.
    void skip_message(Client& client, std::string_view& bytes) {
        std::size_t at = 0;
        while (client.end_seen > 0 && at < bytes.size()) {
            if (bytes[at] == end_of_message[client.end_seen]) {
                ++at;
                if (++client.end_seen < end_of_message.size()) continue;
                bytes.remove_prefix(at);
                return message_ended(client);
            }
            client.end_seen = bytes[at] == '\r' ? 1 : 0;
            if (client.end_seen == 1) ++at;
        }
        const std::size_t found = bytes.find(end_of_message, at);
        if (found != std::string_view::npos) {
            bytes.remove_prefix(found + end_of_message.size());
            return message_ended(client);
        }
        if (at < bytes.size()) {
            for (std::size_t held = std::min(end_of_message.size() - 1, bytes.size() - at);
                 held > 0; --held) {
                if (!bytes.ends_with(end_of_message.substr(0, held))) continue;
                client.end_seen = held;
                break;
            }
        }
        bytes = {};
    }

    void message_ended(Client& client) {
        client.in_message = false;
        client.end_seen = 0;
        --client.under_way;
        if (!running_) return;
        ++done_;
        over_ = over_ || Clock::now() >= started_ + std::chrono::seconds(seconds_);
    }

    void replied(Client& client) {
        using State = Client::State;
        if (!client.line.starts_with("+OK")) {
            std::cerr << client.line << '\n';
            std::exit(1);
        }
        switch (client.state) {
            case State::greeting:
                client.state = State::user;
                return say(client, "USER " + client.user);
            case State::user:
                client.state = State::pass;
                return say(client, "PASS " + password_);
            case State::pass:
                client.state = State::stat;
                return say(client, "STAT");
            case State::stat:
                client.messages = std::strtoul(client.line.c_str() + 4, nullptr, 10);
                if (client.messages == 0) fail("an empty maildrop");
                client.state = State::ready;
                if (++ready_ == clients_.size()) begin();
                return;
            case State::ready:
                // Its last line end may begin the end, where the message is empty.
                client.in_message = true;
                client.end_seen = 2;
                return;
        }
    }

    void begin() {
        std::cout << "begin\n" << std::flush;
        running_ = true;
        started_ = Clock::now();
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            ask(clients_[i]);
            push(clients_[i], i);
        }
    }

    // A new batch when the last one is read.
    void ask(Client& client) {
        if (client.under_way > 0) return;
        for (unsigned long i = 0; i < batch_; ++i) {
            say(client, "RETR " + std::to_string(client.next));
            client.next = client.next % client.messages + 1;
            ++client.under_way;
        }
    }

    static void say(Client& client, const std::string& command) { client.out += command + "\r\n"; }

    void push(Client& client, std::uint64_t index) {
        while (client.written < client.out.size()) {
            const std::size_t some =
                write_some(client.socket, std::string_view(client.out).substr(client.written));
            if (some == 0) break;
            client.written += some;
        }
        if (client.written == client.out.size()) {
            client.out.clear();
            client.written = 0;
            return;
        }
        watch(epoll_, client.socket, EPOLLIN | EPOLLOUT, index, false);
    }

    unsigned long batch_;
    unsigned long seconds_;
    std::string password_;
    std::string buffer_;
    int epoll_ = -1;
    std::vector<Client> clients_;
    std::size_t ready_ = 0;
    bool running_ = false;
    bool over_ = false;
    Clock::time_point started_;
    unsigned long done_ = 0;
    unsigned long long bytes_ = 0;
};

}  // namespace
}  // namespace postern::bench

int main(int count, char** words) {
    const postern::bench::Options options(count, words);
    postern::bench::Load(options).run();
}

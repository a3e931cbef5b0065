// A line protocol with every kind of effect, to test the session runner with: the smallest real
// engine.
#pragma once

#include "gateway/net/conversation.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

namespace postern::net::line {

struct Config {
    std::chrono::milliseconds idle_timeout{10'000};
    std::size_t max_buffered_bytes = 64 * 1024;
};
struct Send {
    std::string bytes;
};
struct StartTls {};
struct Close {};
struct Log {
    std::string text;
};
struct Chunk {
    std::string bytes;
};  // taken
struct Stream {
    std::uint64_t offset, length;
};  // read in pieces
struct Ask {
    std::string text;
};  // a question
using Effect = std::variant<Send, StartTls, Close, Log, Chunk, Stream, Ask>;

class Engine {
public:
    Engine(const Config& config, Time now) : config_(config), now_(now) {}
    void start(bool implicit_tls) { say(implicit_tls ? "hello under TLS" : "hello"); }
    void feed(std::string_view bytes) {
        input_ += bytes;
        last_input_ = now_;
    }
    bool input_full() const { return input_.size() >= config_.max_buffered_bytes; }
    std::optional<Effect> next() {
        while (out_.empty() && !asked_ && take_line()) {
        }
        if (out_.empty()) return std::nullopt;
        auto effect = std::move(out_.front());
        out_.pop_front();
        if (std::holds_alternative<Ask>(effect)) asked_ = true;
        return effect;
    }
    void answer(std::string text) {
        asked_ = false;
        say("answer " + text);
    }
    void tls_started() {
        input_.clear();
        say("secured");
    }
    void mailbox_changed() { say("changed"); }
    void tick(Time now) {
        now_ = now;
        if (last_input_ && now_ - *last_input_ >= config_.idle_timeout) end("timeout");
        if (!last_input_) last_input_ = now;
    }
    std::optional<Time> deadline() const {
        return last_input_ ? std::optional(*last_input_ + config_.idle_timeout) : std::nullopt;
    }
    void peer_closed() { closed_ = true; }
    void shut_down() { end("shutting down"); }

private:
    void say(const std::string& text) { out_.push_back(Send{text + "\n"}); }
    void end(const std::string& text) {
        say(text);
        out_.push_back(Close{});
    }
    bool take_line() {
        const auto line_end = input_.find('\n');
        if (line_end == std::string::npos) return false;
        const auto line = input_.substr(0, line_end);
        input_.erase(0, line_end + 1);
        const auto space = line.find(' ');
        run(line.substr(0, space), space == std::string::npos ? "" : line.substr(space + 1));
        return true;
    }
    void run(const std::string& verb, const std::string& rest) {
        if (verb == "echo")
            say(rest);
        else if (verb == "ask")
            out_.push_back(Ask{rest});
        else if (verb == "chunk")
            out_.push_back(Chunk{rest});
        else if (verb == "stream")
            out_.push_back(Stream{0, std::stoull(rest)});
        else if (verb == "tls")
            say("go"), out_.push_back(StartTls{});
        else if (verb == "log")
            out_.push_back(Log{rest});
        else if (verb == "quit")
            end("bye");
        else
            say("what");
    }

    Config config_;
    Time now_;
    std::optional<Time> last_input_;
    std::string input_;
    std::deque<Effect> out_;
    bool asked_ = false;
    bool closed_ = false;
};

struct Protocol {
    using Engine = line::Engine;
    using Config = line::Config;
    using Send = line::Send;
    using StartTls = line::StartTls;
    using Close = line::Close;
    using Log = line::Log;
};

// What the tests look at from outside.
struct Seen {
    std::atomic<int> services{0};  // alive
    std::atomic<int> chunk_bytes{0};
    std::atomic<int> asked{0};
    std::atomic<std::uint64_t> streamed{0};
    std::chrono::milliseconds answer_delay{0};

    // Of the latest session. Sessions begin on several threads.
    void keep(std::shared_ptr<Waker> latest) {
        const std::lock_guard lock(mutex_);
        waker_ = std::move(latest);
    }
    std::shared_ptr<Waker> waker() {
        const std::lock_guard lock(mutex_);
        return waker_;
    }

private:
    std::mutex mutex_;
    std::shared_ptr<Waker> waker_;
};

class Service {
public:
    Service(Seen& seen, Session& session) : seen_(seen), session_(session) {
        ++seen_.services;
        seen_.keep(session.waker());
    }
    ~Service() { --seen_.services; }

    // Answers from another thread, as a store does.
    Awaitable<std::string> answer(Ask ask) {
        ++seen_.asked;
        auto text =
            co_await from_store<std::string>([&](std::function<void(Result<std::string>)> done) {
                std::thread([done, ask, delay = seen_.answer_delay] {
                    std::this_thread::sleep_for(delay);
                    done(ask.text);
                }).detach();
            });
        co_return *text + (session_.tls() ? " secret" : "");
    }
    void take(Chunk chunk) { seen_.chunk_bytes += static_cast<int>(chunk.bytes.size()); }
    Result<std::string> read(const Stream&, std::uint64_t offset, std::uint64_t length) {
        seen_.streamed += length;
        if (offset >= 100'000'000) return Error{Errc::corrupt, "the body ends here"};
        return std::string(length, 'x');
    }
    bool woken() { return true; }

private:
    Seen& seen_;
    Session& session_;
};

}  // namespace postern::net::line

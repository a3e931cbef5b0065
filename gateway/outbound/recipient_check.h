// Whether a server behind this one takes mail for an address: asked in the session with the sender,
// so that an address that it refuses is never accepted, and no bounce goes to a forged sender.
// Whether it takes the message itself (8 bits, its size) shows when it is sent.
//
// Thread rule: coroutines on any core.
#pragma once

#include "gateway/config/current.h"
#include "gateway/outbound/courier.h"
#include "protocols/smtp/engine.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace postern::outbound {

// Answers that the server gave, for a while. Thread rule: any function from any thread.
class RecipientAnswers {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t max_addresses = 100'000;
    static constexpr std::chrono::minutes good_for{60};
    static constexpr std::chrono::minutes refused_for{10};
    // A good answer serves so long when the server cannot be asked again.
    static constexpr std::chrono::hours good_without_server{24 * 7};

    // What to say without asking; nullopt: ask.
    std::optional<smtp::Reply> fresh(const std::string& address, Clock::time_point now);
    // What to say when the server cannot be asked; nullopt: nothing is known.
    std::optional<smtp::Reply> old(const std::string& address, Clock::time_point now);
    void keep(const std::string& address, const smtp::Reply& reply, Clock::time_point now);
    std::size_t size() const;

private:
    struct Known {
        smtp::Reply reply;
        Clock::time_point at;
    };
    mutable std::mutex mutex_;
    std::map<std::string, Known> known_;
};

class RecipientCheck {
public:
    RecipientCheck(const config::Current& config, Courier& courier)
        : config_(config), courier_(courier) {}

    // The server's own word: 250, or why not. 450 when it cannot be asked and nothing is known;
    // what was good before outlives a "later" of the server too.
    // Only domains whose mail goes to a configured server are asked for; others are taken. No more
    // than outbound.max_connections ask at once.
    net::Awaitable<smtp::Reply> check(std::string address);

private:
    smtp::Reply unanswered(const std::string& address, const std::string& server,
                           const std::string& reason, smtp::Reply otherwise);

    const config::Current& config_;
    Courier& courier_;
    RecipientAnswers answers_;
    std::atomic<std::uint64_t> asking_{0};
};

}  // namespace postern::outbound

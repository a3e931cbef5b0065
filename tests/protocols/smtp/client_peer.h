// A server's side of the SMTP client engine, by hand.
#pragma once

#include "protocols/smtp/client.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::smtp {

inline constexpr const char* greeting = "220 there ESMTP\r\n";

// Speaks for the server, and keeps what the engine does.
class Peer {
public:
    explicit Peer(ClientConfig config = {}) : engine(with_name(std::move(config)), now) {}

    // What the client sends, once the server said `bytes`; in pieces of `piece`.
    std::string hears(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto part = bytes.substr(0, piece);
            engine.feed(part);
            bytes.remove_prefix(part.size());
            work();
        }
        return drain();
    }
    std::string drain() {
        work();
        return std::exchange(said, {});
    }
    void work() {
        while (auto effect = engine.next()) take(*effect);
    }
    void pass(std::chrono::milliseconds time) {
        now += time;
        engine.tick(now);
    }

    Time now = from_unix_ms(1'700'000'000'000);
    ClientEngine engine;
    std::string body = "Subject: x\r\n\r\n.dot\r\n";
    std::string said;
    std::vector<Outcome> outcomes;
    std::optional<AdaptMessage> asked;
    std::optional<Adapted> form;  // nullopt: the message stays as it is
    bool wants_tls = false;
    bool closed = false;
    bool body_fails = false;
    std::size_t piece = 100'000;

private:
    static ClientConfig with_name(ClientConfig config) {
        config.hostname = "mx.example.net";
        return config;
    }
    void take(ClientEffect& effect) {
        if (auto* send = std::get_if<Send>(&effect)) {
            said += send->bytes;
        } else if (std::holds_alternative<StartTls>(effect)) {
            wants_tls = true;
        } else if (std::holds_alternative<Close>(effect)) {
            closed = true;
        } else if (auto* reading = std::get_if<ReadBody>(&effect)) {
            if (body_fails)
                engine.answer(std::nullopt);
            else
                engine.answer(body.substr(reading->offset, reading->length));
        } else if (auto* wanted = std::get_if<AdaptMessage>(&effect)) {
            asked = *wanted;
            engine.adapted(form.value_or(Adapted{body.size(), std::nullopt}));
        } else if (auto* outcome = std::get_if<Outcome>(&effect)) {
            outcomes.push_back(std::move(*outcome));
        }
    }
};

inline OutgoingMessage message(const std::vector<std::string>& recipients, const Peer& peer) {
    OutgoingMessage out;
    out.reverse_path = "ann@example.net";
    out.parameters.size = peer.body.size();
    out.parameters.body_8bit = true;
    for (const auto& each : recipients) out.recipients.push_back({each, {}});
    return out;
}

inline std::vector<int> codes(const Outcome& outcome) {
    std::vector<int> out;
    for (const auto& reply : outcome.replies) out.push_back(reply.code);
    return out;
}

inline void to_ready(Peer& peer, std::string_view offers = "250 PIPELINING\r\n") {
    peer.hears(greeting);
    peer.hears(std::string("250-there\r\n").append(offers));
}

}  // namespace postern::smtp

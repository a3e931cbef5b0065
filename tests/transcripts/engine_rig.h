// The part of an EngineUnderTest that is the same for every engine.
#pragma once

#include "protocols/base/time.h"
#include "tests/transcripts/runner.h"

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace postern::transcripts {

// Types: Engine, Config, Effect, Send, StartTls, Close, Log of one protocol.
template <class Types>
class EngineRig : public EngineUnderTest {
public:
    EngineRig(typename Types::Config config, bool implicit_tls) : engine_(std::move(config), now_) {
        engine_.start(implicit_tls);
    }

    void feed(std::string_view bytes) override { engine_.feed(bytes); }
    std::string drain() override {
        while (!wants_tls_) {
            auto effect = engine_.next();
            if (!effect) break;
            take(*effect);
        }
        return std::exchange(output_, {});
    }
    bool wants_tls() const override { return wants_tls_; }
    void tls_started() override {
        wants_tls_ = false;
        engine_.tls_started();
    }
    bool closed() const override { return closed_; }
    void peer_closed() override { engine_.peer_closed(); }
    void pass_time(std::chrono::milliseconds time) override {
        now_ += time;
        engine_.tick(now_);
    }
    bool event(std::string_view) override { return false; }
    std::size_t questions_asked() const override { return asked_; }
    void fail_question(std::size_t number) override { failing_ = number; }

    const std::vector<std::string>& logged() const { return logged_; }

protected:
    // An effect that is not Send, StartTls, Close or Log.
    virtual void handle(typename Types::Effect& effect) = 0;
    // To be called once for each question: must this one fail?
    bool count_question() { return asked_++ == failing_; }
    void send(std::string_view bytes) { output_ += bytes; }

    Time now_ = from_unix_ms(1'700'000'000'000);
    typename Types::Engine engine_;

private:
    void take(typename Types::Effect& effect) {
        if (auto* bytes = std::get_if<typename Types::Send>(&effect)) {
            output_ += bytes->bytes;
        } else if (std::holds_alternative<typename Types::StartTls>(effect)) {
            wants_tls_ = true;
        } else if (std::holds_alternative<typename Types::Close>(effect)) {
            closed_ = true;
        } else if (auto* log = std::get_if<typename Types::Log>(&effect)) {
            logged_.push_back(std::move(log->text));
        } else {
            handle(effect);
        }
    }

    std::string output_;
    std::vector<std::string> logged_;
    bool wants_tls_ = false;
    bool closed_ = false;
    std::size_t asked_ = 0;
    std::size_t failing_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace postern::transcripts

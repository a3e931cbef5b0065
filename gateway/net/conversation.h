// A protocol engine together with the service that answers its questions, as the session runner
// sees it.
//
// How to plug a protocol in (IMAP as the example):
//
//   struct ImapProtocol {  // names of the effects that mean the same in every protocol
//       using Engine = imap::Engine;   using Config = imap::Config;
//       using Send = imap::Send;       using StartTls = imap::StartTls;
//       using Close = imap::Close;     using Log = imap::Log;
//   };
//   class ImapService {  // one for each connection, made with the net::Session& it serves
//   public:
//       net::Awaitable<imap::Answer> answer(imap::Question question);         // every question
//       effect void take(imap::AppendChunk chunk);                                   // effects
//       without an answer void take(imap::DiscardAppend); Result<std::string> read(const
//       imap::SendBlob&, std::uint64_t offset, std::uint64_t length); bool woken();  // optional:
//       the Waker was used; true: tell the engine mailbox_changed()
//   };
//   net::ConversationFactory make = [=](net::Session& session) {
//       return net::make_conversation<ImapProtocol>(
//           config, session, std::make_unique<ImapService>(backends, session));
//   };
//
// An effect that the service can take() is passed to it; SendBlob-like effects (a member `length`,
// and a service with read()) are streamed in pieces with back-pressure; every other effect is a
// question: the engine waits until answer() has it. The destructor of the service is the end of the
// connection, however it came: locks and reservations belong in members.
#pragma once

#include "gateway/net/awaitable.h"
#include "gateway/net/deflate.h"
#include "gateway/net/session.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postern::net {

inline constexpr std::size_t send_high_water_bytes = 64 * 1024;  // flushed from here on
inline constexpr std::uint64_t blob_piece_bytes = 64 * 1024;

// Bytes on their way to the peer. append() only gathers; flush() waits until the system has all of
// them.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void append(std::string bytes) = 0;
    virtual std::size_t pending() const = 0;
    // False: the peer is gone or took nothing for the write time-out; the session is over.
    virtual Awaitable<bool> flush() = 0;
    // The session has had its core for long enough: give_way() lets others have their turn. False:
    // the session is over.
    virtual bool turn_is_over() const { return false; }
    virtual Awaitable<bool> give_way() { co_return true; }
};

enum class Step : std::uint8_t {
    need_input,  // all effects are done
    start_tls,   // do the handshake, then tls_started()
    close,       // the protocol is over: send what is pending, then close
    broken,      // close without more ado
};

// Deflates on the way to another sink once there is a Deflate; else only passes on.
class DeflatingSink final : public Sink {
public:
    DeflatingSink(Sink& sink, const std::unique_ptr<Deflate>& deflate)
        : sink_(sink), deflate_(deflate) {}
    void append(std::string bytes) override {
        if (!deflate_) return sink_.append(std::move(bytes));
        sink_.append(deflate_->deflate(bytes));
        unfinished_ = true;
    }
    std::size_t pending() const override { return sink_.pending(); }
    Awaitable<bool> flush() override { return sink_.flush(); }
    bool turn_is_over() const override { return sink_.turn_is_over(); }
    Awaitable<bool> give_way() override { return sink_.give_way(); }
    // What was appended so far can be inflated by the peer.
    void finish_piece() {
        if (deflate_ && std::exchange(unfinished_, false)) sink_.append(deflate_->finish_piece());
    }

private:
    Sink& sink_;
    const std::unique_ptr<Deflate>& deflate_;
    bool unfinished_ = false;
};

class Conversation {
public:
    virtual ~Conversation() = default;
    virtual void start(bool implicit_tls) = 0;
    virtual void feed(std::string_view bytes) = 0;
    virtual bool input_full() const = 0;
    // Feeding it nothing brings it on: it holds input of which it could not take all at once.
    virtual bool input_waiting() const { return false; }
    virtual Awaitable<Step> run(Sink& sink) = 0;
    virtual void tls_started() = 0;
    virtual void woken() = 0;
    virtual void tick(Time now) = 0;
    virtual std::optional<Time> deadline() const = 0;
    virtual void peer_closed() = 0;
    virtual void shut_down() = 0;
};

using ConversationFactory = std::function<std::unique_ptr<Conversation>(Session&)>;

// Time for engines: the wall clock at start of the process, moved on by the steady clock, so that
// setting the clock ends no session.
Time session_time();

namespace detail {

template <class Service, class Effect>
concept Takes = requires(Service& service, Effect effect) {
    service.take(std::move(effect));
};

template <class Service, class Effect>
concept Streams = requires(Service& service, const Effect& effect) {
    service.read(effect, std::uint64_t{}, std::uint64_t{});
    effect.length;
};

template <class Protocol, class Service>
class EngineConversation final : public Conversation {
public:
    EngineConversation(const typename Protocol::Config& config, Session& session,
                       std::unique_ptr<Service> service)
        : session_(session), service_(std::move(service)), engine_(config, session_time()) {}

    void start(bool implicit_tls) override { engine_.start(implicit_tls); }
    void feed(std::string_view bytes) override {
        if (!deflate_) return engine_.feed(bytes);
        const auto take = [this](std::string_view plain) {
            engine_.feed(plain);
            return !engine_.input_full();
        };
        if (!deflate_->inflate(bytes, take)) {
            session_.log(logging::Level::info, "peer", {{"text", "broken deflate stream"}});
            broken_ = true;
        }
    }
    bool input_full() const override { return engine_.input_full() || input_waiting(); }
    bool input_waiting() const override {
        return deflate_ && deflate_->waiting() && !engine_.input_full();
    }
    void tls_started() override { engine_.tls_started(); }
    void tick(Time now) override { engine_.tick(now); }
    std::optional<Time> deadline() const override { return engine_.deadline(); }
    void peer_closed() override { engine_.peer_closed(); }
    void shut_down() override { engine_.shut_down(); }

    void woken() override {
        if constexpr (requires {
                          engine_.mailbox_changed();
                          service_->woken();
                      }) {
            if (service_->woken()) engine_.mailbox_changed();
        }
    }

    Awaitable<Step> run(Sink& plain_sink) override {
        if (broken_) co_return Step::broken;
        DeflatingSink deflating(plain_sink, deflate_);
        Sink& sink = deflating;
        while (auto effect = engine_.next()) {
            if (auto* send = std::get_if<typename Protocol::Send>(&*effect)) {
                sink.append(std::move(send->bytes));
            } else if (auto* log = std::get_if<typename Protocol::Log>(&*effect)) {
                session_.log(logging::Level::info, "peer", {{"text", log->text}});
            } else if (std::holds_alternative<typename Protocol::StartTls>(*effect)) {
                co_return Step::start_tls;
            } else if (std::holds_alternative<typename Protocol::Close>(*effect)) {
                deflating.finish_piece();
                co_return Step::close;
            } else if (start_compression(*effect)) {
                if (broken_) co_return Step::broken;
            } else {
                bool going_on = true;
                if (sink.turn_is_over()) going_on = co_await sink.give_way();
                if (going_on) going_on = co_await dispatch(*effect, sink);
                if (!going_on) co_return Step::broken;
            }
            if (sink.pending() >= send_high_water_bytes) {
                const bool sent = co_await sink.flush();
                if (!sent) co_return Step::broken;
            }
        }
        deflating.finish_piece();
        co_return Step::need_input;
    }

private:
    template <class Effects>
    bool start_compression(const Effects& effects) {
        if constexpr (requires { typename Protocol::StartCompression; }) {
            const auto* start = std::get_if<typename Protocol::StartCompression>(&effects);
            if (start == nullptr) return false;
            deflate_ = std::make_unique<Deflate>();
            feed(start->input);
            return true;
        }
        return false;
    }

    template <class Effects>
    Awaitable<bool> dispatch(Effects& effects, Sink& sink) {
        return std::visit([&](auto& effect) { return perform(effect, sink); }, effects);
    }

    template <class Effect>
    Awaitable<bool> perform(Effect& effect, Sink& sink) {
        if constexpr (is_common<Effect> || is_compression<Effect>) {
            co_return true;
        } else if constexpr (Takes<Service, Effect>) {
            service_->take(std::move(effect));
            co_return true;
        } else if constexpr (Streams<Service, Effect>) {
            co_return co_await stream(effect, sink);
        } else {
            auto answer = co_await service_->answer(std::move(effect));
            engine_.answer(std::move(answer));
            co_return true;
        }
    }

    // The length was announced already: when the body ends early, only closing keeps the client in
    // step.
    template <class Effect>
    Awaitable<bool> stream(const Effect& effect, Sink& sink) {
        for (std::uint64_t done = 0; done < effect.length;) {
            const auto piece = std::min<std::uint64_t>(effect.length - done, blob_piece_bytes);
            Result<std::string> bytes = service_->read(effect, done, piece);
            if (!bytes || bytes->empty() || bytes->size() > piece) {
                session_.log(logging::Level::error, "stored message cannot be read",
                             {{"reason", bytes ? std::string("short") : bytes.error().text}});
                co_return false;
            }
            done += bytes->size();
            sink.append(std::move(*bytes));
            if (sink.pending() >= send_high_water_bytes) {
                const bool sent = co_await sink.flush();
                if (!sent) co_return false;
            }
            if (sink.turn_is_over()) {
                const bool going_on = co_await sink.give_way();
                if (!going_on) co_return false;
            }
        }
        co_return true;
    }

    template <class Effect>
    static constexpr bool is_common = std::is_same_v<Effect, typename Protocol::Send> ||
                                      std::is_same_v<Effect, typename Protocol::Log> ||
                                      std::is_same_v<Effect, typename Protocol::StartTls> ||
                                      std::is_same_v<Effect, typename Protocol::Close>;

    template <class Effect>
    static constexpr bool is_compression = requires {
        requires std::is_same_v<Effect, typename Protocol::StartCompression>;
    };

    Session& session_;
    std::unique_ptr<Deflate> deflate_;  // once the peer asked for it
    bool broken_ = false;
    std::unique_ptr<Service> service_;
    typename Protocol::Engine engine_;
};

}  // namespace detail

template <class Protocol, class Service>
std::unique_ptr<Conversation> make_conversation(const typename Protocol::Config& config,
                                                Session& session,
                                                std::unique_ptr<Service> service) {
    return std::make_unique<detail::EngineConversation<Protocol, Service>>(config, session,
                                                                           std::move(service));
}

}  // namespace postern::net

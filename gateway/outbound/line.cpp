#include "gateway/outbound/line.h"

#include "gateway/log/log.h"
#include "gateway/net/conversation.h"
#include "gateway/outbound/adapt.h"

namespace postern::outbound {

namespace {

constexpr std::chrono::seconds quit_timeout{5};

}  // namespace

Courier::Line::Line(Hop hop, std::unique_ptr<net::Outgoing> connection, smtp::ClientConfig config,
                    limits::InflightBudget& conversions)
    : hop_(std::move(hop)),
      connection_(std::move(connection)),
      engine_(std::move(config), net::session_time()),
      share_(conversions) {}

net::Outgoing::Clock::time_point Courier::Line::deadline() const {
    return net::Outgoing::Clock::now() + (engine_.deadline() - net::session_time());
}

net::Awaitable<Courier::Line::Result> Courier::Line::send(const Parcel& parcel) {
    outcome_.reset();
    engine_.tick(net::session_time());
    engine_.send(parcel.message);
    for (;;) {
        while (auto effect = engine_.next()) co_await perform(*effect, &parcel);
        // After the outcome the engine may still want an answer (to RSET); the next message waits
        // for it.
        if (outcome_ || closed_) break;
        co_await receive();
    }
    Result result;
    result.handshake_failed = handshake_failed_;
    if (outcome_) result.outcome = std::move(*outcome_);
    converted_.reset();
    share_.reset();
    co_return result;
}

net::Awaitable<void> Courier::Line::quit() {
    if (closed_) co_return;
    engine_.quit();
    const auto until = net::Outgoing::Clock::now() + quit_timeout;
    while (!closed_ && net::Outgoing::Clock::now() < until) {
        while (auto effect = engine_.next()) co_await perform(*effect, nullptr);
        if (closed_) break;
        auto bytes = co_await connection_->read(until);
        if (!bytes || bytes->empty()) break;
        engine_.feed(*bytes);
    }
    closed_ = true;
}

net::Awaitable<void> Courier::Line::perform(smtp::ClientEffect& effect, const Parcel* parcel) {
    if (auto* send = std::get_if<smtp::Send>(&effect)) {
        const auto written = co_await connection_->write(send->bytes, deadline());
        // What the server said before it closed may say why.
        if (!written) co_await receive();
    } else if (std::holds_alternative<smtp::StartTls>(effect)) {
        const auto until = net::Outgoing::Clock::now() + tls_timeout;
        const auto secured = co_await connection_->start_tls(hop_.peer, until);
        handshake_failed_ = !secured;
        if (secured)
            engine_.tls_started();
        else
            engine_.tls_failed(secured.error().text);
    } else if (const auto* reading = std::get_if<smtp::ReadBody>(&effect)) {
        if (converted_)
            engine_.answer(converted_->substr(reading->offset, reading->length));
        else
            engine_.answer(parcel != nullptr ? parcel->read(reading->offset, reading->length)
                                             : std::nullopt);
    } else if (const auto* wanted = std::get_if<smtp::AdaptMessage>(&effect)) {
        if (parcel != nullptr) engine_.adapted(adapted(*parcel, *wanted));
    } else if (auto* outcome = std::get_if<smtp::Outcome>(&effect)) {
        outcome_ = std::move(*outcome);
    } else if (const auto* log = std::get_if<smtp::Log>(&effect)) {
        logging::info("server", {{"host", hop_.host}, {"text", log->text}});
    } else {
        closed_ = true;
    }
}

smtp::Adapted Courier::Line::adapted(const Parcel& parcel, const smtp::AdaptMessage& wanted) {
    auto form = adapt(parcel, wanted, share_);
    const auto size = parcel.message.parameters.size.value_or(0);
    if (form.refusal) return {size, std::move(form.refusal)};
    converted_ = std::move(form.bytes);
    if (!converted_) return {size, std::nullopt};
    logging::info("message converted for a server without an extension",
                  {{"host", hop_.host},
                   {"from", parcel.message.reverse_path},
                   {"missing", wanted.seven_bit ? "8BITMIME" : "SMTPUTF8"}});
    return {converted_->size(), std::nullopt};
}

net::Awaitable<void> Courier::Line::receive() {
    const auto bytes = co_await connection_->read(deadline());
    engine_.tick(net::session_time());
    if (bytes && !bytes->empty())
        engine_.feed(*bytes);
    else if (bytes)
        engine_.peer_closed();
    else
        engine_.abandon(bytes.error().text);
}

}  // namespace postern::outbound

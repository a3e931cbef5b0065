// One open connection with its engine. Inner header of gateway/outbound.
#pragma once

#include "gateway/outbound/courier.h"

namespace postern::outbound {

class Courier::Line {
public:
    Line(Hop hop, std::unique_ptr<net::Outgoing> connection, smtp::ClientConfig config,
         limits::InflightBudget& conversions);

    struct Result {
        smtp::Outcome outcome;
        bool handshake_failed = false;
    };
    // Sends one message; afterwards usable() says whether another may follow.
    net::Awaitable<Result> send(const Parcel& parcel);
    net::Awaitable<void> quit();
    bool usable() const { return !closed_ && engine_.idle(); }
    const Hop& hop() const { return hop_; }
    std::string tls_protocol() const { return connection_->tls_protocol(); }

private:
    net::Awaitable<void> perform(smtp::ClientEffect& effect, const Parcel* parcel);
    smtp::Adapted adapted(const Parcel& parcel, const smtp::AdaptMessage& wanted);
    net::Awaitable<void> receive();
    net::Outgoing::Clock::time_point deadline() const;

    Hop hop_;
    std::unique_ptr<net::Outgoing> connection_;
    smtp::ClientEngine engine_;
    std::optional<smtp::Outcome> outcome_;
    limits::InflightBudget::Share share_;   // for the message in conversion
    std::optional<std::string> converted_;  // the message in hand, where it goes in another form
    bool closed_ = false;
    bool handshake_failed_ = false;
};

}  // namespace postern::outbound

// Keys for TLS session tickets (RFC 5077), replaced as time goes by. Inner header of gateway/net.
//
// OpenSSL would keep one key for as long as the process lives, and whoever got it could read all
// sessions of that time. Here a key makes tickets for `life` and opens them for as long again; a
// ticket of the older key is answered with a new one.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

namespace postern::net {

struct TicketKey {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> aes;
    std::array<unsigned char, 32> mac;
};

// Thread rule: any function from any thread.
class TicketKeys {
public:
    static constexpr std::chrono::hours life{12};
    using Clock = std::chrono::steady_clock;

    // The key for new tickets; nullopt: no randomness is to be had, make no ticket.
    std::optional<TicketKey> current(Clock::time_point now);

    struct Found {
        TicketKey key;
        bool renew = false;  // it is the older one
    };
    // Of a ticket that carries this name; nullopt: too old, or not ours.
    std::optional<Found> find(const unsigned char* name, Clock::time_point now);

private:
    struct Made {
        TicketKey key;
        Clock::time_point at;
    };
    mutable std::mutex mutex_;
    std::optional<Made> newest_, before_;
};

}  // namespace postern::net

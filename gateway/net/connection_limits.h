// How many connections a service takes, in all and from one address.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace postern::net {

// Thread rule: any function from any thread. Tickets keep the limits alive.
class ConnectionLimits : public std::enable_shared_from_this<ConnectionLimits> {
public:
    ConnectionLimits(std::uint64_t max, std::uint64_t max_per_address);

    // Gives its place back when it goes.
    class Ticket {
    public:
        Ticket(std::shared_ptr<ConnectionLimits> owner, std::string key);
        ~Ticket();
        Ticket(const Ticket&) = delete;
        Ticket& operator=(const Ticket&) = delete;

    private:
        std::shared_ptr<ConnectionLimits> owner_;
        std::string key_;
    };

    // nullptr: full, in all or for that address. `address` is numeric; an IPv6 /64 counts as one.
    std::unique_ptr<Ticket> admit(const std::string& address);
    // For a reload; connections over a lowered limit stay.
    void change(std::uint64_t max, std::uint64_t max_per_address);
    std::uint64_t active() const;
    std::uint64_t admitted() const;  // since the start
    std::uint64_t refused() const;

private:
    void release(const std::string& key);

    mutable std::mutex mutex_;
    std::uint64_t max_;
    std::uint64_t max_per_address_;
    std::uint64_t active_ = 0;
    std::uint64_t admitted_ = 0;
    std::uint64_t refused_ = 0;
    std::unordered_map<std::string, std::uint64_t> by_address_;
};

}  // namespace postern::net

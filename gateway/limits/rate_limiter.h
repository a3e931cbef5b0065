// How often something may happen: a token bucket for each key (an address, a network, an account).
//
// Thread rule: any function from any thread. Memory is bounded: when max_keys are known, those that
// are back at rest are forgotten, and if all are busy the key that was seen longest ago.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace postern::limits {

struct Rate {
    std::uint64_t count = 0;  // so many at once, and so many in each period; 0: no limit
    std::chrono::milliseconds period{60'000};
};

class RateLimiter {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t default_max_keys = 100'000;

    explicit RateLimiter(std::size_t max_keys = default_max_keys) : max_keys_(max_keys) {}

    // False: over the rate; nothing is counted then.
    bool take(const std::string& key, const Rate& rate, Clock::time_point now,
              std::uint64_t count = 1);
    std::size_t size() const;

private:
    struct Bucket {
        double used = 0;  // tokens that are out
        Clock::time_point seen;
        Clock::time_point rested;  // when all will be back
    };

    void make_room(Clock::time_point now);

    const std::size_t max_keys_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace postern::limits

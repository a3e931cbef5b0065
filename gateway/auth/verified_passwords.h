// Passwords that were found right a short while ago, so that a client that logs in at each click
// does not cost a slow hash each time (ADR 0031).
//
// Kept is no password but its HMAC under a key that this process drew and nobody else knows, bound
// to the stored hash: another password of the account, or the same one set anew, is not known.
//
// Thread rule: any function from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postern::auth {

class VerifiedPasswords {
public:
    // From the slow hash on; being used does not make it longer.
    static constexpr std::chrono::minutes memory{5};
    static constexpr std::size_t max_remembered = 10'000;

    using Clock = std::chrono::steady_clock;

    VerifiedPasswords();

    // Whether `password` was found to fit the stored hash `phc`, less than `memory` ago. False says
    // nothing.
    bool knows(std::string_view phc, std::string_view password, Clock::time_point now) const;
    // Only after verify_password said so.
    void remember(std::string_view phc, std::string_view password, Clock::time_point now);
    std::size_t size() const;

private:
    std::string mark_of(std::string_view phc, std::string_view password) const;

    const std::string key_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Clock::time_point> verified_;  // by mark: when
};

}  // namespace postern::auth

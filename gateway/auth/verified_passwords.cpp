#include "gateway/auth/verified_passwords.h"

#include "gateway/crypto/crypto.h"

#include <utility>

namespace postern::auth {

namespace {

constexpr std::size_t key_bytes = 32;

}  // namespace

VerifiedPasswords::VerifiedPasswords() : key_(crypto::random_bytes(key_bytes)) {}

// The length parts the two texts: no other pair of them gives the same bytes.
std::string VerifiedPasswords::mark_of(std::string_view phc, std::string_view password) const {
    std::string bytes = std::to_string(phc.size()) + ':';
    bytes.append(phc).append(password);
    return crypto::hmac_sha256(key_, bytes);
}

bool VerifiedPasswords::knows(std::string_view phc, std::string_view password,
                              Clock::time_point now) const {
    const auto mark = mark_of(phc, password);
    std::lock_guard lock(mutex_);
    const auto found = verified_.find(mark);
    return found != verified_.end() && now - found->second < memory;
}

void VerifiedPasswords::remember(std::string_view phc, std::string_view password,
                                 Clock::time_point now) {
    auto mark = mark_of(phc, password);
    std::lock_guard lock(mutex_);
    if (verified_.size() >= max_remembered) {
        std::erase_if(verified_, [&](const auto& entry) { return now - entry.second >= memory; });
        // Then each costs the slow hash once more.
        if (verified_.size() >= max_remembered) verified_.clear();
    }
    verified_.insert_or_assign(std::move(mark), now);
}

std::size_t VerifiedPasswords::size() const {
    std::lock_guard lock(mutex_);
    return verified_.size();
}

}  // namespace postern::auth

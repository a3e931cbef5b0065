#include "gateway/net/connection_limits.h"

#include <arpa/inet.h>

#include <utility>

namespace postern::net {

namespace {

// A /64 is what one customer gets, and so what one sender can use up.
std::string key_of(const std::string& address) {
    in6_addr binary{};
    if (inet_pton(AF_INET6, address.c_str(), &binary) != 1) return address;
    return std::string(reinterpret_cast<const char*>(&binary), 8);
}

}  // namespace

ConnectionLimits::ConnectionLimits(std::uint64_t max, std::uint64_t max_per_address)
    : max_(max), max_per_address_(max_per_address) {}

ConnectionLimits::Ticket::Ticket(std::shared_ptr<ConnectionLimits> owner, std::string key)
    : owner_(std::move(owner)), key_(std::move(key)) {}
ConnectionLimits::Ticket::~Ticket() {
    owner_->release(key_);
}

std::unique_ptr<ConnectionLimits::Ticket> ConnectionLimits::admit(const std::string& address) {
    auto key = key_of(address);
    std::lock_guard lock(mutex_);
    auto found = by_address_.find(key);
    const auto of_address = found == by_address_.end() ? 0 : found->second;
    if (active_ >= max_ || of_address >= max_per_address_) {
        ++refused_;
        return nullptr;
    }
    ++active_;
    ++admitted_;
    ++by_address_[key];
    return std::make_unique<Ticket>(shared_from_this(), std::move(key));
}

void ConnectionLimits::release(const std::string& key) {
    std::lock_guard lock(mutex_);
    --active_;
    auto found = by_address_.find(key);
    if (--found->second == 0) by_address_.erase(found);
}

void ConnectionLimits::change(std::uint64_t max, std::uint64_t max_per_address) {
    std::lock_guard lock(mutex_);
    max_ = max;
    max_per_address_ = max_per_address;
}

std::uint64_t ConnectionLimits::active() const {
    std::lock_guard lock(mutex_);
    return active_;
}
std::uint64_t ConnectionLimits::admitted() const {
    std::lock_guard lock(mutex_);
    return admitted_;
}
std::uint64_t ConnectionLimits::refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
}

}  // namespace postern::net

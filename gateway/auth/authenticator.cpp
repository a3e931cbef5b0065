#include "gateway/auth/authenticator.h"

#include "gateway/addresses/resolver.h"
#include "gateway/auth/app_password.h"
#include "gateway/auth/password.h"
#include "gateway/crypto/crypto.h"
#include "protocols/mime/saslprep.h"
#include "protocols/wire/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace postern::auth {

namespace {

constexpr std::size_t max_name_bytes = 255;
constexpr std::size_t decoy_secret_bytes = 32;

std::string network_of(const std::string& address) {
    in6_addr binary{};
    if (inet_pton(AF_INET6, address.c_str(), &binary) != 1) return address;
    return std::string(reinterpret_cast<const char*>(&binary), 8);
}

}  // namespace

std::chrono::milliseconds FailureDelays::failed(const std::string& address,
                                                std::chrono::milliseconds base,
                                                Clock::time_point now) {
    std::lock_guard lock(mutex_);
    if (records_.size() >= max_addresses) {
        std::erase_if(records_,
                      [&](const auto& entry) { return now - entry.second.last > memory; });
        // Forgetting all is better than growing without bound or counting nobody new.
        if (records_.size() >= max_addresses) records_.clear();
    }
    auto& record = records_[address];
    if (now - record.last > memory) record.failures = 0;
    record.last = now;
    const unsigned doublings = std::min(record.failures, max_doublings);
    ++record.failures;
    return base * (1u << doublings);
}

void FailureDelays::succeeded(const std::string& address) {
    std::lock_guard lock(mutex_);
    records_.erase(address);
}

std::size_t FailureDelays::size() const {
    std::lock_guard lock(mutex_);
    return records_.size();
}

Authenticator::Authenticator(directory::Directory& directory, net::WorkPool& pool,
                             const config::Current& config, directory::Credentials* credentials)
    : directory_(directory), pool_(pool), config_(config), credentials_(credentials),
      decoy_secret_(crypto::random_bytes(decoy_secret_bytes)) {
    if (credentials_ == nullptr) return;
    // Else who asks before and after a restart could tell unknown users from known ones.
    if (auto kept = credentials_->decoy_secret(decoy_secret_)) decoy_secret_ = std::move(*kept);
}

net::Awaitable<Login> Authenticator::check(net::Session& session, std::string authorization_id,
                                           std::string user, std::string password) {
    auto login = co_await look_up(authorization_id, user, std::move(password));
    co_await finish(session, login, std::move(user));
    co_return login;
}

// Logs the outcome, and makes failures slow.
net::Awaitable<void> Authenticator::finish(net::Session& session, const Login& login,
                                           std::string user) {
    const auto network = network_of(session.peer_address());
    if (login.status == LoginStatus::ok) {
        delays_.succeeded(network);
        session.log(logging::Level::info, "login", {{"user", login.user.address}});
    } else if (login.status == LoginStatus::refused) {
        session.log(logging::Level::warning, "login refused", {{"user", user}});
        const std::chrono::milliseconds base(config_.get()->auth.failure_delay_ms);
        const auto now = FailureDelays::Clock::now();
        // As the directory has it: other spellings of a name lead to the same user.
        const auto name = "user " + wire::lower_case(addresses::ascii_address(user))
                                        .substr(0, max_name_bytes);
        // Many addresses that guess one password are as slow as one that guesses many.
        const auto by_address = delays_.failed(network, base, now);
        co_await session.pause(std::max(by_address, delays_.failed(name, base, now)));
    } else {
        session.log(logging::Level::error, "login not possible", {{"user", user}});
    }
}

// They are long and random, so that one fast hash is enough.
bool Authenticator::is_app_password(const directory::User& user, std::string_view password) {
    if (credentials_ == nullptr || password.size() < min_app_password_bytes) return false;
    const auto all = credentials_->app_passwords(user.id);
    if (!all) return false;
    const auto hash = app_password_hash(password);
    bool found = false;
    for (const auto& each : *all) found |= crypto::equal(each.hash, hash);
    return found;
}

// nullopt: the pool is too busy.
net::Awaitable<std::optional<bool>> Authenticator::verify(std::string hash, std::string password) {
    if (verified_.knows(hash, password, VerifiedPasswords::Clock::now())) co_return true;
    // Has its own copies: it may outlive this coroutine.
    auto slowly = [hash, password] {
        const auto prepared = mime::saslprep(password);
        // As typed: passwords that were set before they were prepared.
        return verify_password(hash, prepared) ||
               (prepared != password && verify_password(hash, password));
    };
    const auto verified = co_await pool_.run(std::move(slowly));
    if (verified && *verified) {
        verified_.remember(hash, password, VerifiedPasswords::Clock::now());
    }
    co_return verified;
}

net::Awaitable<Login> Authenticator::look_up(const std::string& authorization_id,
                                             const std::string& user, std::string password) {
    auto found = directory_.find(addresses::ascii_address(user));
    if (!found && found.error().code != Errc::invalid) co_return Login{LoginStatus::temporary, {}};
    const bool known = found && found->has_value();
    const std::string hash = known ? (*found)->password_hash : impossible_hash();
    const bool by_app_password = known && is_app_password(**found, password);
    std::optional<bool> verified = true;
    if (!by_app_password) verified = co_await verify(hash, std::move(password));
    if (!verified) co_return Login{LoginStatus::temporary, {}};
    const bool as_self =
        authorization_id.empty() || wire::equals_ignoring_case(authorization_id, user);
    Login login;
    if (known && *verified && as_self) {
        login.status = LoginStatus::ok;
        login.user = std::move(**found);
    }
    co_return login;
}

}  // namespace postern::auth

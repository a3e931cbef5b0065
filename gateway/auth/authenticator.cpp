#include "gateway/auth/authenticator.h"

#include "gateway/auth/app_password.h"
#include "gateway/auth/password.h"
#include "gateway/crypto/crypto.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace postern::auth {

namespace {

constexpr std::size_t nonce_bytes = 18;
constexpr std::size_t max_name_bytes = 255;

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
        const auto name = "user " + user.substr(0, max_name_bytes);
        // Many addresses that guess one password are as slow as one that guesses many.
        const auto by_address = delays_.failed(network, base, now);
        co_await session.pause(std::max(by_address, delays_.failed(name, base, now)));
    } else {
        session.log(logging::Level::error, "login not possible", {{"user", user}});
    }
}

std::vector<std::string> scram_mechanisms() {
    return {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"};
}

net::Awaitable<ScramStep> Authenticator::scram(net::Session& session, ScramSession& exchange,
                                               std::string mechanism, std::string response,
                                               bool first) {
    ScramStep step;
    Login login;
    if (first) {
        exchange = {};
        exchange.server.emplace(mechanism.ends_with("-PLUS"), session.tls());
        if (exchange.server->first(response)) {
            auto challenge = scram_challenge(exchange);
            if (challenge) {
                step.challenge = std::move(*challenge);
                co_return step;
            }
            login.status = LoginStatus::temporary;
        }
    } else if (exchange.server && !exchange.proven) {
        const auto binding = session.channel_binding(exchange.server->binding_type());
        const bool bound = exchange.server->binding_type().empty() || !binding.empty();
        auto verdict = exchange.server->finish(response, binding);
        const auto& as = exchange.server->authorization_id();
        const bool as_self = as.empty() || wire::equals_ignoring_case(as, exchange.server->user());
        if (verdict && bound && as_self && exchange.user) {
            exchange.proven = true;
            step.challenge = std::move(*verdict);
            co_return step;
        }
    } else if (exchange.server && exchange.user && response.empty()) {
        login.status = LoginStatus::ok;
        login.user = std::move(*exchange.user);
    }
    const std::string name = exchange.server ? exchange.server->user() : "";
    exchange = {};
    co_await finish(session, login, name);
    step.status = login.status;
    step.user = std::move(login.user);
    co_return step;
}

Result<std::string> Authenticator::scram_challenge(ScramSession& exchange) {
    ScramServer& server = *exchange.server;
    auto found = directory_.find(server.user());
    if (!found && found.error().code != Errc::invalid) return found.error();
    auto keys = impossible_scram_keys(server.user());
    if (found && *found && credentials_ != nullptr) {
        auto own = credentials_->scram((*found)->id, (*found)->password_hash);
        if (!own) return own.error();
        if (*own) {
            keys = std::move(**own);
            exchange.user = std::move(**found);
        }
    }
    return server.challenge(std::move(keys),
                            wire::base64_encode(crypto::random_bytes(nonce_bytes)));
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

net::Awaitable<Login> Authenticator::look_up(const std::string& authorization_id,
                                             const std::string& user, std::string password) {
    auto found = directory_.find(user);
    if (!found && found.error().code != Errc::invalid) co_return Login{LoginStatus::temporary, {}};
    const bool known = found && found->has_value();
    const std::string hash = known ? (*found)->password_hash : impossible_hash();
    const bool by_app_password = known && is_app_password(**found, password);
    std::optional<bool> verified = true;
    if (!by_app_password) {
        auto verify = [hash, password = std::move(password)] {
            return verify_password(hash, password);
        };
        verified = co_await pool_.run(std::move(verify));
    }
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

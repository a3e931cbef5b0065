// The mechanisms besides PLAIN and LOGIN: SCRAM, and tokens in OAUTHBEARER and XOAUTH2.
#include "gateway/addresses/resolver.h"
#include "gateway/auth/authenticator.h"
#include "gateway/clock/wall_clock.h"
#include "gateway/crypto/crypto.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <utility>

namespace postern::auth {

namespace {

constexpr std::size_t nonce_bytes = 18;

bool is_scram(std::string_view mechanism) {
    return mechanism.starts_with("SCRAM-");
}

}  // namespace

void Authenticator::set_tokens(std::shared_ptr<const TokenVerifier> tokens) {
    std::lock_guard lock(tokens_mutex_);
    tokens_ = std::move(tokens);
}

std::shared_ptr<const TokenVerifier> Authenticator::tokens() const {
    std::lock_guard lock(tokens_mutex_);
    return tokens_;
}

std::vector<std::string> Authenticator::mechanisms() const {
    std::vector<std::string> all{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"};
    if (tokens()) all.insert(all.end(), {"OAUTHBEARER", "XOAUTH2"});
    return all;
}

net::Awaitable<MechanismStep> Authenticator::step(net::Session& session, MechanismSession& exchange,
                                                  std::string mechanism, std::string response,
                                                  bool first) {
    MechanismStep step;
    Login login;
    std::string name;
    if (first) exchange = {};
    if (is_scram(mechanism)) {
        if (first) exchange.server.emplace(mechanism.ends_with("-PLUS"), session.tls());
        login = scram_response(session, exchange, step, response);
        name = exchange.server ? exchange.server->user() : "";
    } else if (first) {
        login = check_token(session, mechanism, response, name);
        // The client hears why, and says an empty word before it is told no (RFC 7628 3.2.3).
        if (login.status == LoginStatus::refused) {
            exchange.refused = name.empty() ? mechanism : name;
            step.challenge = mechanism == "XOAUTH2" ? xoauth2_refused : token_refused;
        }
    } else {
        name = exchange.refused;
    }
    if (step.challenge) co_return step;
    exchange = {};
    co_await finish(session, login, name);
    step.status = login.status;
    step.user = std::move(login.user);
    co_return step;
}

// With step.challenge the exchange goes on; else its end is answered.
Login Authenticator::scram_response(net::Session& session, MechanismSession& exchange,
                                    MechanismStep& step, std::string_view response) {
    Login login;
    if (!exchange.server) return login;
    ScramServer& server = *exchange.server;
    if (exchange.proven) {
        if (!exchange.user || !response.empty()) return login;
        login.status = LoginStatus::ok;
        login.user = std::move(*exchange.user);
    } else if (server.challenged()) {
        const auto binding = session.channel_binding(server.binding_type());
        const bool bound = server.binding_type().empty() || !binding.empty();
        auto verdict = server.finish(response, binding);
        const auto& as = server.authorization_id();
        const bool as_self = as.empty() || wire::equals_ignoring_case(as, server.user());
        if (verdict && bound && as_self && exchange.user) {
            exchange.proven = true;
            step.challenge = std::move(*verdict);
        }
    } else if (server.first(response)) {
        auto challenge = scram_challenge(exchange);
        if (challenge) {
            step.challenge = std::move(*challenge);
        } else {
            login.status = LoginStatus::temporary;
        }
    }
    return login;
}

Result<std::string> Authenticator::scram_challenge(MechanismSession& exchange) {
    ScramServer& server = *exchange.server;
    const auto name = wire::lower_case(addresses::ascii_address(server.user()));
    auto found = directory_.find(name);
    if (!found && found.error().code != Errc::invalid) return found.error();
    std::vector<directory::ScramKeys> keys;
    if (found && *found && credentials_ != nullptr) {
        auto own = scram_keys(**found);
        if (!own) return own.error();
        keys = std::move(*own);
        if (!keys.empty()) exchange.user = std::move(**found);
    }
    if (keys.empty()) keys.push_back(impossible_scram_keys(name, decoy_secret_));
    return server.challenge(std::move(keys),
                            wire::base64_encode(crypto::random_bytes(nonce_bytes)));
}

// The password's own first; empty: the account has none.
Result<std::vector<directory::ScramKeys>> Authenticator::scram_keys(const directory::User& user) {
    std::vector<directory::ScramKeys> keys;
    auto own = credentials_->scram(user.id, user.password_hash);
    if (!own) return own.error();
    if (!*own) return keys;
    keys.push_back(std::move(**own));
    auto others = credentials_->app_passwords(user.id);
    if (!others) return others.error();
    for (auto& each : *others) {
        // With another salt they are of no use: the client has been told of one.
        const bool fits = each.scram && each.scram->salt == keys.front().salt &&
                          each.scram->iterations == keys.front().iterations;
        if (fits) keys.push_back(std::move(*each.scram));
    }
    return keys;
}

// `user` becomes the name that the client or the token gave, for the log and the delays.
Login Authenticator::check_token(net::Session& session, std::string_view mechanism,
                                 std::string_view message, std::string& user) {
    const auto verifier = tokens();
    const auto parsed =
        mechanism == "XOAUTH2" ? parse_xoauth2(message) : parse_oauthbearer(message);
    if (!verifier || !parsed) return {};
    user = parsed->user;
    const auto named = verifier->verify(parsed->token, wall_clock());
    if (!named) {
        session.log(logging::Level::warning, "token refused",
                    {{"user", user}, {"reason", named.error().text}});
        return {};
    }
    if (!user.empty() && !wire::equals_ignoring_case(user, *named)) {
        session.log(logging::Level::warning, "token refused",
                    {{"user", user}, {"reason", "it is for " + *named}});
        return {};
    }
    user = *named;
    auto found = directory_.find(addresses::ascii_address(user));
    if (!found && found.error().code != Errc::invalid) return {LoginStatus::temporary, {}};
    if (!found || !*found) return {};
    return {LoginStatus::ok, std::move(**found)};
}

}  // namespace postern::auth

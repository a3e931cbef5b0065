#include "protocols/smtp/reply.h"
#include "protocols/smtp/session.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <utility>

namespace postern::smtp {

bool Engine::State::auth_works() const {
    return config.role == Role::submission && (tls || config.allow_plaintext_auth);
}

std::string Engine::State::offered_mechanisms() const {
    std::string all(wire::SaslExchange::mechanisms);
    for (const std::string& each : config.more_mechanisms) {
        if (tls || !each.ends_with("-PLUS")) all.append(" ").append(each);
    }
    return all;
}

void Engine::State::auth(std::string_view argument) {
    if (config.role != Role::submission) return refuse(502, "5.5.1", "AUTH is not offered here");
    if (!auth_works()) return refuse(538, "5.7.11", "Passwords are taken under TLS only");
    if (helo.empty()) return refuse(503, "5.5.1", "Say EHLO first");
    if (!authenticated_user.empty()) return refuse(503, "5.5.1", "Authenticated already");
    if (transaction.open) return refuse(503, "5.5.1", "Not in a mail transaction");
    if (argument.empty()) return refuse(501, "5.5.4", "Say AUTH and a mechanism");

    const std::size_t space = argument.find(' ');
    std::optional<std::string_view> initial_response;
    if (space != std::string_view::npos) initial_response = argument.substr(space + 1);
    const std::string_view mechanism = argument.substr(0, space);
    const bool needs_tls = wire::upper_case(mechanism).ends_with("-PLUS");
    if (needs_tls && !tls) return refuse(504, "5.5.4", "That mechanism needs TLS");
    auth_step(sasl.start(mechanism, initial_response));
}

void Engine::State::auth_line(std::string_view line) {
    mode = Mode::command;
    auth_step(sasl.step(line));
}

void Engine::State::auth_step(wire::SaslStep step) {
    if (const auto* challenge = std::get_if<wire::SaslChallenge>(&step)) {
        mode = Mode::sasl;
        return reply(334, "", challenge->base64);
    }
    if (auto* found = std::get_if<wire::SaslCredentials>(&step)) {
        authenticating_user =
            found->authorization_id.empty() ? found->user : found->authorization_id;
        flush();
        return ask(Authenticate{std::move(found->mechanism), std::move(found->authorization_id),
                                std::move(found->user), std::move(found->password)},
                   Question::authenticate);
    }
    if (auto* message = std::get_if<wire::SaslMessage>(&step)) {
        flush();
        return ask(ContinueAuth{std::move(message->mechanism), std::move(message->response),
                                message->first},
                   Question::authenticate);
    }
    switch (std::get<wire::SaslFailure>(step)) {
        case wire::SaslFailure::unsupported:
            return refuse(504, "5.5.4", "Unknown mechanism, known: " + offered_mechanisms());
        case wire::SaslFailure::cancelled:
            return refuse(501, "5.7.0", "Authentication cancelled");
        case wire::SaslFailure::bad_base64:
            return refuse(501, "5.5.2", "Bad base64");
        case wire::SaslFailure::malformed:
            break;
    }
    refuse(501, "5.5.2", "Not what the mechanism says");
}

void Engine::State::authenticated(const AuthAnswer& answer) {
    if (answer.challenge) {
        mode = Mode::sasl;
        sasl.expect_more();
        return reply(334, "", wire::base64_encode(*answer.challenge));
    }
    if (answer.ok) {
        authenticated_user = answer.user.empty() ? std::move(authenticating_user) : answer.user;
        authenticating_user.clear();
        failed_auths = 0;
        return reply(235, "2.7.0", "Welcome");
    }
    const bool given = answer.failure.code >= 400;
    const Reply failure =
        given ? answer.failure : Reply{535, "5.7.8", "Wrong user name or password"};
    if (failure.code < 500) return reply(failure);
    refuse(failure.code, failure.enhanced, failure.text);
    if (++failed_auths < max_failed_auths || closed) return;
    log("too many failed authentications");
    close_with(421, "4.7.0", "Too many failed authentications");
}

}  // namespace postern::smtp

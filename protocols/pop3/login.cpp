#include "protocols/pop3/session.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <utility>

namespace postern::pop3 {

std::string Engine::State::offered_mechanisms() const {
    std::string all(wire::SaslExchange::mechanisms);
    for (const std::string& each : config.more_mechanisms) {
        if (tls || !each.ends_with("-PLUS")) all.append(" ").append(each);
    }
    return all;
}

bool Engine::State::login_possible() {
    if (logged_in) {
        refuse("Logged in already");
    } else if (!passwords_allowed()) {
        refuse("Passwords are taken under TLS only, say STLS first");
    } else {
        return true;
    }
    return false;
}

void Engine::State::user(std::string_view argument) {
    if (!login_possible()) return;
    if (argument.empty() || argument.find(' ') != std::string_view::npos) {
        return refuse("Say USER and a name");
    }
    // The same for every name: who has a mailbox here is nobody's business.
    user_name = argument;
    ok("Say PASS");
}

void Engine::State::pass(std::string_view argument) {
    if (!login_possible()) return;
    if (user_name.empty()) return refuse("Say USER first");
    if (!wire::is_utf8(user_name) || !wire::is_utf8(argument)) return refuse("Not UTF-8");
    flush();
    ask(Authenticate{"USER", "", std::exchange(user_name, {}), std::string(argument)},
        Question::login);
}

void Engine::State::auth(std::string_view argument) {
    if (argument.empty() && !logged_in && passwords_allowed()) {
        // Clients from before RFC 5034 ask so which mechanisms there are.
        ok("Mechanisms follow");
        for (const char c : offered_mechanisms()) {
            held_replies += c == ' ' ? std::string("\r\n") : std::string(1, c);
        }
        held_replies += "\r\n.\r\n";
        return;
    }
    if (!login_possible()) return;
    const std::size_t space = argument.find(' ');
    std::optional<std::string_view> initial_response;
    if (space != std::string_view::npos) initial_response = argument.substr(space + 1);
    const std::string_view mechanism = argument.substr(0, space);
    const bool needs_tls = wire::upper_case(mechanism).ends_with("-PLUS");
    if (needs_tls && !tls) return refuse("That mechanism needs TLS");
    auth_step(sasl.start(mechanism, initial_response));
}

void Engine::State::auth_step(wire::SaslStep step) {
    if (const auto* challenge = std::get_if<wire::SaslChallenge>(&step)) {
        mode = Mode::sasl;
        held_replies.append("+ ").append(challenge->base64).append("\r\n");
        return;
    }
    if (auto* found = std::get_if<wire::SaslCredentials>(&step)) {
        flush();
        return ask(Authenticate{std::move(found->mechanism), std::move(found->authorization_id),
                                std::move(found->user), std::move(found->password)},
                   Question::login);
    }
    if (auto* message = std::get_if<wire::SaslMessage>(&step)) {
        flush();
        return ask(ContinueAuth{std::move(message->mechanism), std::move(message->response),
                                message->first},
                   Question::login);
    }
    switch (std::get<wire::SaslFailure>(step)) {
        case wire::SaslFailure::unsupported:
            return refuse("Unknown mechanism, known: " + offered_mechanisms());
        case wire::SaslFailure::cancelled:
            return refuse("Authentication cancelled");
        case wire::SaslFailure::bad_base64:
            return refuse("Bad base64");
        case wire::SaslFailure::malformed:
            break;
    }
    refuse("Not what the mechanism says");
}

void Engine::State::login_answered(LoginAnswer& answer) {
    if (answer.challenge) {
        mode = Mode::sasl;
        sasl.expect_more();
        held_replies.append("+ ").append(wire::base64_encode(*answer.challenge)).append("\r\n");
        return;
    }
    if (!answer.ok) {
        error(answer.response_code, answer.text.empty() ? "Login failed" : answer.text);
        const bool wrong_password = answer.response_code.empty() || answer.response_code == "AUTH";
        if (!wrong_password || ++failed_logins < max_failed_logins) return;
        log("too many failed logins");
        error("", "Too many failed logins");
        return close();
    }
    logged_in = true;
    if (config.expire_varies) config.expire_days = answer.expire_days;
    maildrop.reserve(answer.maildrop.size());
    for (MaildropEntry& entry : answer.maildrop) {
        bytes_left += entry.size;
        maildrop.push_back({entry.size, std::move(entry.uidl), false});
    }
    messages_left = maildrop.size();
    ok("Maildrop has " + std::to_string(messages_left) + " messages");
}

// RFC 6856 section 2: from now on UTF-8 goes both ways. Mail was never changed on its way out, so
// only names and passwords could be affected, and those are taken as UTF-8 anyway.
void Engine::State::utf8(std::string_view argument) {
    if (logged_in) return refuse("UTF8 comes before the login");
    if (!argument.empty()) return refuse("UTF8 takes no argument");
    ok("UTF-8 it is");
}

// RFC 6856 section 3.
void Engine::State::lang(std::string_view argument) {
    if (argument.empty()) {
        ok("Languages follow");
        held_replies += "en English\r\ni-default English\r\n.\r\n";
    } else if (wire::equals_ignoring_case(argument, "en") || argument == "*" ||
               wire::starts_with_ignoring_case(argument, "en-") ||
               wire::equals_ignoring_case(argument, "i-default")) {
        held_replies += argument == "*" ? "+OK i-default English\r\n" : "+OK en English\r\n";
    } else {
        refuse("That language is not spoken here");
    }
}

void Engine::State::start_tls(std::string_view argument) {
    if (!config.tls_offered) return refuse("STLS is not offered");
    if (tls) return refuse("TLS is in use already");
    if (logged_in) return refuse("STLS comes before the login");
    if (!argument.empty()) return refuse("STLS takes no argument");
    ok("Start TLS now");
    emit(StartTls{});
    waiting_for_tls = true;
}

}  // namespace postern::pop3

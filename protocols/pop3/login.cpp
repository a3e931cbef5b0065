#include "protocols/pop3/session.h"
#include "protocols/wire/text.h"

#include <utility>

namespace postern::pop3 {

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
        held_replies += "PLAIN\r\nLOGIN\r\n.\r\n";
        return;
    }
    if (!login_possible()) return;
    const std::size_t space = argument.find(' ');
    std::optional<std::string_view> initial_response;
    if (space != std::string_view::npos) initial_response = argument.substr(space + 1);
    auth_step(sasl.start(argument.substr(0, space), initial_response));
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
    switch (std::get<wire::SaslFailure>(step)) {
        case wire::SaslFailure::unsupported:
            return refuse("Unknown mechanism, known: PLAIN LOGIN");
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
    if (!answer.ok) {
        error(answer.response_code, answer.text.empty() ? "Login failed" : answer.text);
        const bool wrong_password = answer.response_code.empty() || answer.response_code == "AUTH";
        if (!wrong_password || ++failed_logins < max_failed_logins) return;
        log("too many failed logins");
        error("", "Too many failed logins");
        return close();
    }
    logged_in = true;
    maildrop.reserve(answer.maildrop.size());
    for (MaildropEntry& entry : answer.maildrop) {
        bytes_left += entry.size;
        maildrop.push_back({entry.size, std::move(entry.uidl), false});
    }
    messages_left = maildrop.size();
    ok("Maildrop has " + std::to_string(messages_left) + " messages");
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

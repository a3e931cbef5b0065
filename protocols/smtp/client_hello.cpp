// From the greeting to where mail may go.
#include "protocols/smtp/client_session.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::smtp {

void ClientEngine::State::greeted(const ClientReply& reply) {
    greeting = reply.text.substr(0, reply.text.find('\n'));
    if (reply.code != 220) return give_up(reply);
    hello();
}

void ClientEngine::State::hello() {
    say((config.lmtp ? "LHLO " : "EHLO ") + config.hostname);
    enter(Phase::hello);
}

void ClientEngine::State::hello_replied(const ClientReply& reply) {
    if (reply.code / 100 == 2) {
        esmtp = phase == Phase::hello;
        if (esmtp) take_offers(reply.text);
        return after_hello();
    }
    const bool old_server = phase == Phase::hello && !config.lmtp && reply.code / 100 == 5;
    if (!old_server) return give_up(reply);
    say("HELO " + config.hostname);
    enter(Phase::hello_plain);
}

void ClientEngine::State::take_offers(const std::string& text) {
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t lf = std::min(rest.find('\n'), rest.size());
        const std::string line = wire::upper_case(rest.substr(0, lf));
        rest.remove_prefix(std::min(lf + 1, rest.size()));
        const std::string_view word = std::string_view(line).substr(0, line.find(' '));
        offers.pipelining |= word == "PIPELINING";
        offers.start_tls |= word == "STARTTLS";
        offers.body_8bit |= word == "8BITMIME";
        offers.smtputf8 |= word == "SMTPUTF8";
        offers.dsn |= word == "DSN";
        offers.require_tls |= word == "REQUIRETLS";
        if (word == "AUTH") offers.auth_plain |= (line + " ").find(" PLAIN ") != std::string::npos;
        if (word == "SIZE") {
            offers.size = true;
            const std::size_t space = std::min(line.find(' '), line.size() - 1);
            offers.max_size =
                wire::parse_number(std::string_view(line).substr(space + 1)).value_or(0);
        }
    }
}

void ClientEngine::State::after_hello() {
    if (!tls && config.tls != ClientConfig::Tls::never) {
        if (offers.start_tls) {
            say("STARTTLS");
            return enter(Phase::start_tls);
        }
        if (config.tls == ClientConfig::Tls::always) {
            return give_up("4.7.4", "The server does not offer STARTTLS");
        }
    }
    authenticate();
}

void ClientEngine::State::authenticate() {
    if (config.user.empty()) return ready();
    if (!tls && !config.plaintext_auth) {
        return give_up("4.7.4", "No TLS, so the password is not sent");
    }
    if (!offers.auth_plain) return give_up("4.7.0", "The server does not offer AUTH PLAIN");
    const std::string secret = std::string(1, '\0') + config.user + '\0' + config.password;
    say("AUTH PLAIN " + wire::base64_encode(secret));
    enter(Phase::auth);
}

void ClientEngine::State::start_tls_replied(const Reply& reply) {
    if (reply.code == 220) {
        // What the server said beyond it came in plaintext and counts for nothing.
        if (!input.empty()) emit(Log{"plaintext behind STARTTLS dropped"});
        input.clear();
        emit(StartTls{});
        return enter(Phase::handshake);
    }
    if (config.tls == ClientConfig::Tls::always) {
        return give_up("4.7.4", "STARTTLS refused: " + reply.text);
    }
    authenticate();
}

void ClientEngine::State::auth_replied(const Reply& reply) {
    if (reply.code == 235) return ready();
    // Somebody has to mend a password; the mail can wait for it.
    give_up("4.7.8", "Login refused: " + reply.text);
}

void ClientEngine::State::ready() {
    enter(Phase::ready);
    if (message) begin();
}

}  // namespace postern::smtp

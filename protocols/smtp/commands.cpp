#include "protocols/smtp/session.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <array>

namespace postern::smtp {
namespace {

constexpr std::size_t max_hello_name_bytes = 255;

constexpr std::array<std::string_view, 9> http_methods = {
    "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE"};

bool is_http(std::string_view line, std::string_view verb) {
    const bool method =
        std::find(http_methods.begin(), http_methods.end(), verb) != http_methods.end();
    return method && line.find(" HTTP/") != std::string_view::npos;
}

bool has_control(std::string_view line) {
    return std::any_of(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    });
}

bool may_hold_utf8(std::string_view verb) {
    return verb == "MAIL" || verb == "RCPT" || verb == "VRFY" || verb == "EXPN";
}

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

}  // namespace

void Engine::State::command(std::string_view line, bool has_bare_cr) {
    using Handler = void (State::*)(std::string_view);
    struct Entry {
        std::string_view verb;
        Handler handler;
    };
    static constexpr Entry entries[] = {
        {"MAIL", &State::mail},      {"RCPT", &State::rcpt},          {"DATA", &State::data},
        {"RSET", &State::rset},      {"NOOP", &State::noop},          {"QUIT", &State::quit},
        {"VRFY", &State::vrfy},      {"EXPN", &State::expn},          {"HELP", &State::help},
        {"AUTH", &State::auth},      {"STARTTLS", &State::start_tls}, {"BDAT", &State::bdat},
        {"XCLIENT", &State::xclient}};

    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string verb = wire::upper_case(line.substr(0, space));
    const std::string_view argument = trim(line.substr(space));
    if (is_http(line, verb)) {
        log("HTTP instead of SMTP: " + wire::printable(line));
        return close_with(500, "5.5.1", "This is a mail server");
    }
    if (has_bare_cr || has_control(line)) {
        return refuse(500, "5.5.2", "Control character in a command");
    }
    if (!wire::is_ascii(line) && !may_hold_utf8(verb)) {
        return refuse(501, "5.5.2", "Non-ASCII character in a command");
    }
    if (verb == "EHLO" || verb == "HELO" || verb == "LHLO") return hello(verb, argument);
    for (const Entry& entry : entries) {
        if (entry.verb == verb) return (this->*entry.handler)(argument);
    }
    refuse(500, "5.5.1", "Unknown command " + wire::printable(verb, 20));
}

void Engine::State::hello(std::string_view verb, std::string_view name) {
    if ((verb == "LHLO") != (config.role == Role::lmtp)) {
        const bool lmtp = config.role == Role::lmtp;
        return refuse(500, "5.5.1", lmtp ? "This is LMTP: say LHLO" : "This is SMTP: say EHLO");
    }
    if (name.empty() || name.size() > max_hello_name_bytes) {
        return refuse(501, "5.5.4", "Say who you are: " + std::string(verb) + " your-host-name");
    }
    if (name.find_first_of(" \t") != std::string_view::npos) {
        return refuse(501, "5.5.4", "A host name has no spaces");
    }
    reset_transaction();
    helo = name;
    esmtp = verb != "HELO";
    if (!esmtp) return reply(250, "", config.hostname);
    announce();
}

void Engine::State::announce() {
    std::string text = config.hostname;
    text += "\nPIPELINING\nSIZE " + std::to_string(config.max_message_bytes);
    text += "\n8BITMIME\nSMTPUTF8\nCHUNKING\nBINARYMIME";
    if (config.dsn_offered) text += "\nDSN";
    if (config.tls_offered && !tls) text += "\nSTARTTLS";
    if (auth_works() && authenticated_user.empty()) {
        text.append("\nAUTH ").append(offered_mechanisms());
    }
    if (config.requiretls_offered && tls) text += "\nREQUIRETLS";
    if (config.xclient_offered) text += "\nXCLIENT NAME ADDR PORT PROTO HELO";
    text += "\nLIMITS RCPTMAX=" + std::to_string(config.max_recipients);
    text += "\nENHANCEDSTATUSCODES";
    reply(250, "", text);
}

void Engine::State::rset(std::string_view argument) {
    if (!argument.empty()) return refuse(501, "5.5.4", "RSET takes no argument");
    reset_transaction();
    reply(250, "2.0.0", "Reset");
}

void Engine::State::noop(std::string_view) {
    reply(250, "2.0.0", "OK");
}

void Engine::State::quit(std::string_view argument) {
    if (!argument.empty()) return refuse(501, "5.5.4", "QUIT takes no argument");
    close_with(221, "2.0.0", config.hostname + " closing");
}

void Engine::State::vrfy(std::string_view argument) {
    if (argument.empty()) return refuse(501, "5.5.4", "VRFY needs an address");
    reply(252, "2.5.0", "Send mail to it to find out");
}

void Engine::State::expn(std::string_view) {
    refuse(502, "5.5.1", "EXPN is not offered");
}

void Engine::State::help(std::string_view) {
    reply(214, "2.0.0", "Commands: RFC 5321. This is the mail gateway " + config.hostname);
}

void Engine::State::start_tls(std::string_view argument) {
    if (!config.tls_offered) return refuse(502, "5.5.1", "STARTTLS is not offered");
    if (tls) return refuse(503, "5.5.1", "TLS is in use already");
    if (!argument.empty()) return refuse(501, "5.5.4", "STARTTLS takes no argument");
    reply(220, "2.0.0", "Start TLS now");
    emit(StartTls{});
    waiting_for_tls = true;
}

}  // namespace postern::smtp

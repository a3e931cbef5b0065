#include "protocols/imap/session.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <utility>

namespace postern::imap {
namespace {

constexpr const char* privacy_text = "Start TLS before you send a password";

const char* text_of(wire::SaslFailure failure) {
    switch (failure) {
        case wire::SaslFailure::cancelled:
            return "AUTHENTICATE was cancelled";
        case wire::SaslFailure::bad_base64:
            return "The response is not base64";
        case wire::SaslFailure::malformed:
        case wire::SaslFailure::unsupported:
            break;
    }
    return "The response is malformed";
}

}  // namespace

void run(Session& session, command::StartTls) {
    if (!session.may_start_tls()) return session.bad("TLS cannot be started here");
    session.start_tls();
}

void Session::start_tls() {
    finish("OK", "", "Begin TLS negotiation now");
    effect(imap::StartTls{});
    framer_.clear();
    mode_ = Mode::tls;
}

void run(Session& session, command::Login command) {
    if (!session.may_log_in()) return session.no("PRIVACYREQUIRED", privacy_text);
    session.log_in({"PLAIN", "", std::move(command.user), std::move(command.password)});
}

void run(Session& session, const command::Authenticate& command) {
    if (!session.may_log_in()) return session.no("PRIVACYREQUIRED", privacy_text);
    session.start_sasl(command);
}

void Session::start_sasl(const command::Authenticate& command) {
    const bool needs_tls = wire::upper_case(command.mechanism).ends_with("-PLUS");
    if (needs_tls && !tls_) return no("PRIVACYREQUIRED", "That mechanism needs TLS");
    const auto& initial = command.initial_response;
    take_sasl_step(sasl_.start(command.mechanism,
                               initial ? std::optional<std::string_view>(*initial) : std::nullopt));
}

void Session::take_sasl_step(wire::SaslStep step) {
    mode_ = Mode::command;
    if (const auto* challenge = std::get_if<wire::SaslChallenge>(&step)) {
        send("+ " + challenge->base64 + "\r\n");
        mode_ = Mode::sasl;
    } else if (auto* credentials = std::get_if<wire::SaslCredentials>(&step)) {
        log_in(std::move(*credentials));
    } else if (auto* message = std::get_if<wire::SaslMessage>(&step)) {
        continue_sasl(std::move(*message));
    } else if (std::get<wire::SaslFailure>(step) == wire::SaslFailure::unsupported) {
        no("CANNOT", "This mechanism is not offered");
    } else {
        bad(text_of(std::get<wire::SaslFailure>(step)));
    }
}

bool Session::step_sasl() {
    const Framer::Event event = framer_.next(false);
    if (event == Framer::Event::need_more) return false;
    if (event == Framer::Event::command) {
        take_sasl_step(sasl_.step(framer_.text()));
    } else {
        mode_ = Mode::command;
        bad(event == Framer::Event::too_long ? "The response is too long"
                                             : "A line must end with CR LF");
    }
    return true;
}

void Session::log_in(wire::SaslCredentials credentials) {
    Question question =
        Authenticate{std::move(credentials.mechanism), std::move(credentials.authorization_id),
                     std::move(credentials.user), std::move(credentials.password)};
    ask_either<Done>(
        std::move(question), [this](Done) { logged_in(); },
        [this](const Failure& failure) { refuse_login(failure); });
}

void Session::logged_in() {
    authenticated_ = true;
    ok("Logged in", "CAPABILITY " + capabilities());
}

void Session::continue_sasl(wire::SaslMessage message) {
    effect(Question(
        ContinueAuth{std::move(message.mechanism), std::move(message.response), message.first}));
    on_answer_ = [this](const Answer& answer) {
        if (const auto* challenge = std::get_if<AuthChallenge>(&answer)) {
            sasl_.expect_more();
            send("+ " + wire::base64_encode(challenge->bytes) + "\r\n");
            mode_ = Mode::sasl;
        } else if (std::holds_alternative<Done>(answer)) {
            logged_in();
        } else {
            const auto* failure = std::get_if<Failure>(&answer);
            refuse_login(failure != nullptr
                             ? *failure
                             : Failure{"SERVERBUG", "The answer was of another kind"});
        }
    };
}

void Session::refuse_login(const Failure& failure) {
    no(failure.code.empty() ? "AUTHENTICATIONFAILED" : failure.code, failure.text);
    log("login failed: " + failure.text);
    if (++login_failures_ >= max_login_failures) bye("Too many failed logins");
}

}  // namespace postern::imap

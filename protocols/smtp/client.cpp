#include "protocols/smtp/client.h"

#include "protocols/smtp/client_session.h"
#include "protocols/smtp/reply.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::smtp {
namespace {

// "2.1.5" at the start of a reply's text (RFC 2034); empty: none.
std::string_view enhanced_code(std::string_view text) {
    const std::size_t size = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, size);
    if (word.size() < 5 || word.size() > 9 || word[1] != '.') return {};
    if (word[0] != '2' && word[0] != '4' && word[0] != '5') return {};
    const std::size_t dot = word.find('.', 2);
    if (dot == std::string_view::npos) return {};
    const bool good = wire::parse_number(word.substr(2, dot - 2)).has_value() &&
                      wire::parse_number(word.substr(dot + 1)).has_value();
    return good ? word : std::string_view();
}

}  // namespace

void ClientEngine::State::say(const std::string& line) {
    emit(Send{line + "\r\n"});
    waiting_since = now;
}

void ClientEngine::State::enter(Phase next) {
    phase = next;
    waiting_since = now;
}

// One reply off the front of the input. False: it is not whole yet.
bool ClientEngine::State::take_reply() {
    while (true) {
        const std::string_view view = input.view();
        const std::size_t lf = view.find('\n');
        const bool too_long = std::min(lf, view.size()) > max_client_reply_line_bytes;
        if (too_long || partial_lines > max_client_reply_lines) {
            give_up("4.4.0", "The server's reply is too long");
            return false;
        }
        if (lf == std::string_view::npos) return false;
        std::string_view line = view.substr(0, lf);
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto code = wire::parse_number(line.substr(0, 3));
        const char mark = line.size() > 3 ? line[3] : ' ';
        if (!code || *code < 200 || *code > 599 || line.size() < 3 ||
            (mark != ' ' && mark != '-')) {
            give_up("4.5.0", "No reply of SMTP: " + wire::printable(line));
            return false;
        }
        if (partial_lines++ > 0) partial.text += '\n';
        std::string_view text = line.substr(std::min<std::size_t>(4, line.size()));
        const std::string_view enhanced = enhanced_code(text);
        if (!enhanced.empty()) {
            partial.enhanced = enhanced;
            text.remove_prefix(std::min(enhanced.size() + 1, text.size()));
        }
        partial.text += text;
        partial.code = static_cast<int>(*code);
        input.consume(lf + 1);
        if (mark == '-') continue;
        partial_lines = 0;
        replied(ClientReply{std::exchange(partial, Reply{}), true});
        return true;
    }
}

void ClientEngine::State::replied(const ClientReply& reply) {
    waiting_since = now;
    switch (phase) {
        case Phase::greeting:
            return greeted(reply);
        case Phase::hello:
        case Phase::hello_plain:
            return hello_replied(reply);
        case Phase::start_tls:
            return start_tls_replied(reply);
        case Phase::auth:
            return auth_replied(reply);
        case Phase::mail:
            return mail_replied(reply);
        case Phase::rcpt:
            return rcpt_replied(reply);
        case Phase::data:
            return data_replied(reply);
        case Phase::body:
            // Before the end of the message a server may only say no.
            if (reply.code >= 400) return give_up(reply);
            return give_up("4.5.0", "The server spoke before the end of the message");
        case Phase::body_end:
            return body_end_replied(reply);
        case Phase::reset:
            return is_positive(reply) ? ready() : give_up(reply);
        case Phase::quit:
            return close();
        case Phase::ready:
        case Phase::adapting:
            return give_up(reply);
        case Phase::handshake:
        case Phase::closed:
            return;
    }
}

// Ends the session; what has no reply yet gets this one, which is never one that says yes.
void ClientEngine::State::give_up(ClientReply answer) {
    if (phase == Phase::closed) return;
    if (answer.code < 400) answer = {{0, std::move(answer.enhanced), std::move(answer.text)}};
    if (message) {
        // A refused RSET is none of the message that was to follow.
        session_failed = phase < Phase::ready || phase == Phase::reset;
        in_doubt = phase == Phase::body_end && answer.code == 0;
        for (ClientReply& reply : replies) {
            if (reply.text.empty() && reply.code == 0) reply = answer;
        }
        finish();
    }
    close();
}

void ClientEngine::State::close() {
    if (phase == Phase::closed) return;
    phase = Phase::closed;
    input.clear();
    emit(Close{});
}

ClientEngine::ClientEngine(ClientConfig config, Time now)
    : state_(std::make_unique<State>(std::move(config), now)) {
    state_->tls = state_->config.tls_from_start;
}
ClientEngine::~ClientEngine() = default;

void ClientEngine::send(OutgoingMessage message) {
    State& state = *state_;
    state.replies.assign(message.recipients.size(), ClientReply{{0, "", ""}});
    state.message = std::move(message);
    if (state.phase == State::Phase::ready) return state.begin();
    if (state.phase == State::Phase::closed || state.phase == State::Phase::quit) {
        for (ClientReply& reply : state.replies) reply = {{0, "4.4.2", "The connection is closed"}};
        state.finish();
    }
}

bool ClientEngine::idle() const {
    const bool open = state_->phase == State::Phase::ready || state_->phase == State::Phase::reset;
    return !state_->message && open;
}

void ClientEngine::quit() {
    if (state_->phase == State::Phase::closed) return;
    state_->say("QUIT");
    state_->enter(State::Phase::quit);
}

void ClientEngine::feed(std::string_view bytes) {
    if (state_->phase == State::Phase::closed || state_->phase == State::Phase::handshake) return;
    state_->input.append(bytes);
}

std::optional<ClientEffect> ClientEngine::next() {
    State& state = *state_;
    using Phase = State::Phase;
    while (state.effects.empty()) {
        if (state.phase == Phase::closed || state.phase == Phase::handshake) return std::nullopt;
        if (state.take_reply()) continue;
        if (!state.effects.empty()) break;
        if (state.phase != Phase::body || state.reading) return std::nullopt;
        state.read_more();
    }
    ClientEffect effect = std::move(state.effects.front());
    state.effects.pop_front();
    return effect;
}

void ClientEngine::answer(std::optional<std::string> body_bytes) {
    State& state = *state_;
    state.reading = false;
    if (state.phase != State::Phase::body) return;
    if (!body_bytes) return state.give_up("4.3.0", "The message cannot be read now");
    state.body_read(*body_bytes);
}

void ClientEngine::adapted(Adapted form) {
    if (state_->phase == State::Phase::adapting) state_->adapted(form);
}

void ClientEngine::tls_started() {
    state_->tls = true;
    state_->offers = {};
    state_->hello();
}

void ClientEngine::tls_failed(std::string_view reason) {
    state_->give_up("4.7.5", "TLS handshake failed: " + std::string(reason));
}

void ClientEngine::tick(Time now) {
    state_->now = now;
    if (state_->phase == State::Phase::closed || now < deadline()) return;
    const bool quitting = state_->phase == State::Phase::quit;
    if (!quitting) state_->emit(Log{"the server does not answer"});
    state_->give_up("4.4.2", "The server does not answer");
}

Time ClientEngine::deadline() const {
    const State& state = *state_;
    const bool last = state.phase == State::Phase::body_end;
    return state.waiting_since + (last ? state.config.final_timeout : state.config.reply_timeout);
}

void ClientEngine::peer_closed() {
    state_->give_up("4.4.2", "The server closed the connection");
}

void ClientEngine::abandon(std::string_view reason) {
    state_->give_up("4.3.2", reason);
}

}  // namespace postern::smtp

#include "protocols/pop3/engine.h"

#include "protocols/pop3/session.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace postern::pop3 {

void Engine::State::emit(Effect effect) {
    flush();
    effects.push_back(std::move(effect));
}

void Engine::State::ask(Effect asked, Question kind) {
    effects.push_back(std::move(asked));
    question = kind;
}

void Engine::State::flush() {
    if (!held_replies.empty()) effects.emplace_back(Send{std::exchange(held_replies, {})});
}

// One step of work. False: nothing can be done before something comes from outside.
bool Engine::State::advance() {
    if (closed || waiting_for_tls || question != Question::none) return false;
    if (mode == Mode::listing) {
        continue_listing();
    } else if (mode == Mode::message) {
        continue_retrieval();
    } else if (shutting_down) {
        error("SYS/TEMP", config.hostname + " is shutting down, try again later");
        close();
    } else {
        return advance_line();
    }
    return true;
}

bool Engine::State::advance_line() {
    using Kind = wire::LineEvent::Kind;
    const bool auth_line =
        mode == Mode::sasl || wire::starts_with_ignoring_case(input.view(), "AUTH ");
    const std::size_t limit = auth_line ? max_auth_line_bytes : max_command_line_bytes;
    const wire::LineEvent event = lines.next(input.view(), limit);
    input.consume(event.consumed);
    if (event.kind == Kind::skipped) return true;
    if (event.kind == Kind::need_more) {
        if (peer_gone) close();
        return peer_gone;
    }
    progressed_since_tick = true;
    const Mode was = std::exchange(mode, Mode::command);
    if (event.kind == Kind::too_long) {
        log("command line too long");
        refuse("Line too long");
    } else if (event.kind == Kind::bare_lf) {
        log("bare LF in a command");
        refuse("A line must end with CR LF, and hold no other LF");
    } else if (was == Mode::sasl) {
        auth_step(sasl.step(event.text));
    } else {
        command(event.text, event.has_bare_cr);
    }
    return true;
}

void Engine::State::drop_session() {
    input.clear();
    lines.reset();
    user_name.clear();
    maildrop.clear();
    logged_in = false;
    mode = Mode::command;
}

void Engine::State::ok(std::string_view text) {
    held_replies.append("+OK ").append(text).append("\r\n");
}

void Engine::State::error(std::string_view code, std::string_view text) {
    std::string line = "-ERR ";
    if (!code.empty()) line.append("[").append(code).append("] ");
    line.append(text);
    line.resize(std::min(line.size(), max_reply_line_bytes - 2));
    std::replace_if(
        line.begin(), line.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    held_replies.append(line).append("\r\n");
}

// An answer to a peer's mistake.
void Engine::State::refuse(std::string_view text) {
    error("", text);
    if (++errors < max_errors) return;
    log("too many errors");
    error("", "Too many errors");
    close();
}

void Engine::State::log(std::string text) {
    effects.emplace_back(Log{std::move(text)});
}

void Engine::State::close() {
    if (std::exchange(closed, true)) return;
    drop_session();
    emit(Close{});
}

Engine::Engine(Config config, Time now) : state_(std::make_unique<State>(std::move(config), now)) {}
Engine::~Engine() = default;

void Engine::start(bool implicit_tls) {
    state_->tls = implicit_tls;
    state_->ok(state_->config.hostname + " Postern POP3");
}

void Engine::feed(std::string_view bytes) {
    if (!state_->closed && !state_->peer_gone) state_->input.append(bytes);
}

bool Engine::input_full() const {
    return state_->input.size() >= max_buffered_input_bytes;
}

std::optional<Effect> Engine::next() {
    State& state = *state_;
    while (state.effects.empty()) {
        const bool advanced = state.advance();
        const bool enough = !advanced || state.held_replies.size() >= held_reply_bytes;
        if (enough && state.question == State::Question::none) state.flush();
        if (!advanced && state.effects.empty()) {
            state.input.release_if_empty();
            return std::nullopt;
        }
    }
    Effect effect = std::move(state.effects.front());
    state.effects.pop_front();
    return effect;
}

void Engine::answer(Answer answer) {
    using Question = State::Question;
    State& state = *state_;
    const Question question = std::exchange(state.question, Question::none);
    assert(question != Question::none);
    state.progressed_since_tick = true;
    // An answer of another kind counts as a failed one.
    LoginAnswer no_login{false, "SYS/TEMP", "Internal error", {}};
    auto* login = std::get_if<LoginAnswer>(&answer);
    const auto* bytes = std::get_if<MessageBytes>(&answer);
    const auto* outcome = std::get_if<Outcome>(&answer);
    switch (question) {
        case Question::none:
            break;
        case Question::login:
            state.login_answered(login ? *login : no_login);
            break;
        case Question::read:
            state.bytes_read(bytes ? *bytes : MessageBytes{});
            break;
        case Question::commit:
            state.committed(outcome ? *outcome : Outcome{});
            break;
    }
}

void Engine::tls_started() {
    State& state = *state_;
    assert(state.waiting_for_tls);
    state.waiting_for_tls = false;
    if (!state.input.empty()) state.log("plaintext behind STLS dropped");
    state.drop_session();
    state.tls = true;
    state.progressed_since_tick = true;
}

void Engine::tick(Time now) {
    State& state = *state_;
    state.now = now;
    const bool waits_for_peer = state.question == State::Question::none;
    if (std::exchange(state.progressed_since_tick, false) || !waits_for_peer) {
        state.last_progress = now;
    }
    const auto due = deadline();
    if (!due || now < *due) return;
    state.log("timeout");
    state.close();
}

std::optional<Time> Engine::deadline() const {
    const State& state = *state_;
    if (state.closed || state.question != State::Question::none) return std::nullopt;
    return state.last_progress + state.config.idle_timeout;
}

void Engine::peer_closed() {
    state_->peer_gone = true;
}

void Engine::shut_down() {
    state_->shutting_down = true;
}

}  // namespace postern::pop3

#include "protocols/smtp/engine.h"

#include "protocols/smtp/session.h"
#include "protocols/wire/text.h"

#include <cassert>
#include <utility>

namespace postern::smtp {

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
    if (!greeted) return await_greeting();
    if (mode == Mode::data) return read_data();
    if (mode == Mode::chunk) return read_chunk();
    if (shutting_down) {
        close_with(421, "4.3.2", config.hostname + " is shutting down, try again later");
        return true;
    }
    return advance_line();
}

// A client that speaks before the greeting is a program that does not listen.
bool Engine::State::await_greeting() {
    if (!greet_at || shutting_down || peer_gone) {
        greeted = true;
        if (peer_gone) return true;
        if (!shutting_down) greet();
        return true;
    }
    if (input.empty()) return false;
    greeted = true;
    log("the peer spoke before the greeting");
    close_with(554, "5.5.0", config.hostname + " You spoke before the greeting");
    return true;
}

bool Engine::State::advance_line() {
    using Kind = wire::LineEvent::Kind;
    const bool auth = mode == Mode::sasl || wire::starts_with_ignoring_case(input.view(), "AUTH ");
    const std::size_t limit = auth ? max_auth_line_bytes : max_command_line_bytes;
    const wire::LineEvent event = lines.next(input.view(), limit);
    input.consume(event.consumed);
    if (event.kind == Kind::skipped) return true;
    if (event.kind == Kind::need_more) {
        if (peer_gone) input_ended();
        return peer_gone;
    }
    progressed();
    if (event.kind != Kind::line) {
        mode = Mode::command;
        const bool too_long = event.kind == Kind::too_long;
        log(too_long ? "command line too long" : "bare LF in a command");
        if (too_long) {
            refuse(500, auth ? "5.5.6" : "5.5.2", "Line too long");
        } else {
            refuse(500, "5.5.2", "A line must end with CR LF, and hold no other LF");
        }
    } else if (mode == Mode::sasl) {
        auth_line(event.text);
    } else {
        command(event.text, event.has_bare_cr);
    }
    return true;
}

void Engine::State::input_ended() {
    if (in_body()) {
        log("the peer closed in the middle of a message");
        discard_body();
    }
    close();
}

void Engine::State::drop_session() {
    input.clear();
    lines.reset();
    helo.clear();
    esmtp = false;
    authenticated_user.clear();
    mode = Mode::command;
    reset_transaction();
}

Engine::Engine(Config config, Time now) : state_(std::make_unique<State>(std::move(config), now)) {}
Engine::~Engine() = default;

void Engine::start(bool implicit_tls) {
    state_->tls = implicit_tls;
    if (state_->config.greeting_delay.count() > 0) {
        state_->greet_at = state_->now + state_->config.greeting_delay;
        return;
    }
    state_->greeted = true;
    state_->greet();
}

void Engine::feed(std::string_view bytes) {
    if (state_->closed || state_->peer_gone) return;
    state_->input.append(bytes);
    if (state_->in_body()) state_->progressed();
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
            if (!state.in_body()) state.input.release_if_empty();
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
    state.progressed();
    const Reply unanswered = {451, "4.3.0", "Internal error, try again later"};
    const auto* reply = std::get_if<Reply>(&answer);
    switch (question) {
        case Question::none:
            break;
        case Question::client:
            state.client_claimed(reply ? *reply : unanswered);
            break;
        case Question::sender:
            state.sender_checked(reply ? *reply : unanswered);
            break;
        case Question::recipient:
            state.recipient_checked(reply ? *reply : unanswered);
            break;
        case Question::authenticate: {
            const auto* verdict = std::get_if<AuthAnswer>(&answer);
            state.authenticated(verdict ? *verdict : AuthAnswer{false, unanswered, {}, {}});
            break;
        }
        case Question::message: {
            auto* replies = std::get_if<std::vector<Reply>>(&answer);
            state.message_answered(replies ? std::move(*replies)
                                           : std::vector<Reply>{reply ? *reply : unanswered});
            break;
        }
    }
}

void Engine::tls_started() {
    State& state = *state_;
    assert(state.waiting_for_tls);
    state.waiting_for_tls = false;
    if (!state.input.empty()) state.log("plaintext behind STARTTLS dropped");
    state.drop_session();
    state.tls = true;
    state.progressed();
}

void Engine::tick(Time now) {
    State& state = *state_;
    state.now = now;
    const bool waits_for_peer = state.question == State::Question::none;
    if (std::exchange(state.progressed_since_tick, false) || !waits_for_peer) {
        state.last_progress = now;
    }
    const auto due = deadline();
    if (!due) return;
    if (!state.greeted) {
        if (now >= *due) state.greet_at.reset();
        return;
    }
    const bool data = state.in_body();
    if (now < *due && !(data && state.data_too_slow())) return;
    state.log(data ? "timeout in a message" : "timeout");
    if (data) state.discard_body();
    if (state.waiting_for_tls) return state.close();
    state.close_with(421, "4.4.2", state.config.hostname + " closes after waiting too long");
}

std::optional<Time> Engine::deadline() const {
    const State& state = *state_;
    if (state.closed || state.question != State::Question::none) return std::nullopt;
    if (!state.greeted) return state.greet_at;
    const bool data = state.in_body();
    return state.last_progress + (data ? state.config.data_timeout : state.config.command_timeout);
}

void Engine::peer_closed() {
    state_->peer_gone = true;
}

void Engine::shut_down() {
    state_->shutting_down = true;
}

}  // namespace postern::smtp

#include "protocols/imap/engine.h"

#include "protocols/imap/session.h"

namespace postern::imap {

struct Engine::State {
    Session session;
};

Engine::Engine(Config config, Time now)
    : state_(std::make_unique<State>(State{Session(std::move(config), now)})) {}

Engine::~Engine() = default;

void Engine::start(bool implicit_tls) {
    state_->session.start(implicit_tls);
}

void Engine::feed(std::string_view bytes) {
    state_->session.feed(bytes);
}

bool Engine::input_full() const {
    return state_->session.input_full();
}

std::optional<Effect> Engine::next() {
    return state_->session.next();
}

void Engine::answer(Answer answer) {
    state_->session.answer(std::move(answer));
}

void Engine::tls_started() {
    state_->session.tls_started();
}

void Engine::mailbox_changed() {
    state_->session.mailbox_changed();
}

void Engine::tick(Time now) {
    state_->session.tick(now);
}

std::optional<Time> Engine::deadline() const {
    return state_->session.deadline();
}

void Engine::peer_closed() {
    state_->session.peer_closed();
}

void Engine::shut_down() {
    state_->session.shut_down();
}

}  // namespace postern::imap

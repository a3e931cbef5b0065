#include "protocols/smtp/reply.h"
#include "protocols/smtp/session.h"

#include <utility>

namespace postern::smtp {

void Engine::State::reply(int code, std::string_view enhanced, std::string_view text) {
    reply(Reply{code, std::string(enhanced), std::string(text)});
}

void Engine::State::reply(const Reply& given) {
    append_reply(given, held_replies);
    if (given.code == 421) close();
}

// A reply to a peer's mistake.
void Engine::State::refuse(int code, std::string_view enhanced, std::string_view text) {
    reply(code, enhanced, text);
    if (++errors < config.max_errors || closed) return;
    log("too many errors");
    close_with(421, "4.7.0", "Too many errors");
}

void Engine::State::log(std::string text) {
    effects.emplace_back(Log{std::move(text)});
}

void Engine::State::close() {
    if (std::exchange(closed, true)) return;
    drop_session();
    emit(Close{});
}

void Engine::State::close_with(int code, std::string_view enhanced, std::string_view text) {
    append_reply({code, std::string(enhanced), std::string(text)}, held_replies);
    close();
}

void Engine::State::greet() {
    const char* protocol = config.role == Role::lmtp ? " LMTP" : " ESMTP";
    reply(220, "", config.hostname + protocol + " Postern");
}

}  // namespace postern::smtp

#include "protocols/smtp/reply.h"
#include "protocols/smtp/session.h"

#include <utility>

namespace postern::smtp {
namespace {

const char* describe(wire::DotUnstuffer::Flaw flaw) {
    switch (flaw) {
        case wire::DotUnstuffer::Flaw::none:
            break;
        case wire::DotUnstuffer::Flaw::bare_lf:
            return "bare LF";
        case wire::DotUnstuffer::Flaw::bare_cr:
            return "bare CR";
        case wire::DotUnstuffer::Flaw::line_too_long:
            return "line over the limit";
    }
    return "";
}

}  // namespace

bool Engine::State::read_data() {
    if (input.empty()) {
        if (peer_gone) input_ended();
        return peer_gone;
    }
    const std::string_view piece = input.view().substr(0, body_chunk_bytes);
    std::string bytes;
    bytes.reserve(piece.size());
    const auto progress = unstuffer.read(piece, bytes);
    input.consume(progress.consumed);
    data_bytes += progress.consumed;
    progressed();
    take_data(std::move(bytes), progress.consumed);
    if (progress.ended && !closed) body_ended(unstuffer.flaw());
    return true;
}

// What came is given on until there is a reason to refuse the message; then it is only counted, so
// that the reply to its end is where the client looks for it.
void Engine::State::take_data(std::string bytes, std::size_t consumed) {
    body_bytes += bytes.size();
    const bool flawed = unstuffer.flaw() != wire::DotUnstuffer::Flaw::none;
    if (flawed || body_bytes > config.max_message_bytes) discard_body();
    if (!body_discarded) {
        if (!bytes.empty()) emit(BodyChunk{std::move(bytes)});
        return;
    }
    count_discarded(consumed);
}

void Engine::State::count_discarded(std::size_t bytes) {
    discarded_bytes += bytes;
    if (discarded_bytes <= max_discarded_bytes) return;
    log("a refused message does not end");
    close_with(421, "4.3.0", "Too much of a message that is refused anyway");
}

// A gap is not the only way to keep a session for ever.
bool Engine::State::data_too_slow() {
    if (!data_started) data_started = now;
    const auto elapsed = now - *data_started;
    if (elapsed < config.data_timeout) return false;
    const auto elapsed_s = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
    return data_bytes < min_data_bytes_per_s * static_cast<std::uint64_t>(elapsed_s);
}

void Engine::State::discard_body() {
    if (!std::exchange(body_discarded, true)) emit(DiscardBody{});
}

void Engine::State::body_ended(wire::DotUnstuffer::Flaw flaw) {
    mode = Mode::command;
    if (!body_discarded) {
        flush();
        const bool claimed = claim && !claim->helo.empty();
        return ask(AcceptMessage{claimed ? claim->helo : helo, transaction.reverse_path,
                                 transaction.recipients, transaction.parameters, authenticated_user,
                                 esmtp && (!claim || claim->esmtp), tls},
                   Question::message);
    }
    message_answered({refused_body(flaw)});
}

Reply Engine::State::refused_body(wire::DotUnstuffer::Flaw flaw) {
    using Flaw = wire::DotUnstuffer::Flaw;
    Reply refusal = {552, "5.3.4",
                     "Message over " + std::to_string(config.max_message_bytes) + " bytes"};
    if (flaw == Flaw::line_too_long) {
        refusal = {554, "5.6.0", "Line over " + std::to_string(max_data_line_bytes) + " bytes"};
    } else if (flaw != Flaw::none) {
        refusal = {550, "5.6.11",
                   std::string(describe(flaw)) + " in the message: lines end with CR LF"};
    }
    log(std::string("message refused: ") +
        (flaw == Flaw::none ? "over the size limit" : describe(flaw)));
    return refusal;
}

// LMTP: one reply for each recipient (RFC 2033 section 4.2); SMTP: one.
void Engine::State::message_answered(std::vector<Reply> replies) {
    if (replies.empty()) replies.push_back({451, "4.3.0", "Internal error, try again later"});
    const bool lmtp = config.role == Role::lmtp;
    const std::size_t wanted = lmtp ? transaction.recipients.size() : 1;
    // One reply stands for all recipients.
    replies.resize(wanted, replies.back());
    transaction = {};
    for (const Reply& each : replies) {
        if (!closed) reply(each);
    }
}

}  // namespace postern::smtp

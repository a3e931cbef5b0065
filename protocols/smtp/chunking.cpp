// BDAT (RFC 3030): the message in pieces whose length is said beforehand.
#include "protocols/smtp/reply.h"
#include "protocols/smtp/session.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::smtp {

void Engine::State::bdat(std::string_view argument) {
    const std::size_t space = std::min(argument.find(' '), argument.size());
    const auto size = wire::parse_number(argument.substr(0, space));
    std::string_view rest = argument.substr(space);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const bool last = wire::equals_ignoring_case(rest, "LAST");
    if (!size || (!rest.empty() && !last)) {
        // Without the length nobody knows where the next command is; guessing could take bytes of a
        // message for one.
        log("BDAT without a length");
        reply(501, "5.5.4", "Say BDAT, a number of octets, and LAST at the end");
        return close_with(421, "4.7.0", "Out of step, closing");
    }
    chunk = {*size, *size, last, chunk_refusal()};
    if (!chunk.refusal && !transaction.chunking) {
        transaction.chunking = true;
        line_check = wire::LineCheck(max_data_line_bytes);
        begin_body();
    }
    if (chunk.refusal) discarded_bytes = 0;
    data_bytes = 0;
    data_started.reset();
    mode = Mode::chunk;
    if (chunk.left == 0) chunk_ended();
}

std::optional<Reply> Engine::State::chunk_refusal() const {
    if (!transaction.open) return Reply{503, "5.5.1", "Say MAIL first"};
    if (transaction.recipients.empty()) {
        return Reply{config.role == Role::lmtp ? 503 : 554, "5.5.1", "No valid recipients"};
    }
    if (transaction.chunk_refused) {
        return Reply{503, "5.5.1", "A chunk of this message was refused: say RSET"};
    }
    return std::nullopt;
}

bool Engine::State::read_chunk() {
    if (input.empty()) {
        if (peer_gone) input_ended();
        return peer_gone;
    }
    const std::uint64_t wanted = std::min<std::uint64_t>(chunk.left, body_chunk_bytes);
    const std::string_view piece = input.view().substr(0, static_cast<std::size_t>(wanted));
    input.consume(piece.size());
    chunk.left -= piece.size();
    data_bytes += piece.size();
    progressed();
    take_chunk(piece);
    if (chunk.left == 0 && !closed) chunk_ended();
    return true;
}

void Engine::State::take_chunk(std::string_view bytes) {
    if (chunk.refusal) return count_discarded(bytes.size());
    body_bytes += bytes.size();
    if (!transaction.parameters.body_binary) line_check.read(bytes);
    const bool flawed = line_check.flaw() != wire::DotUnstuffer::Flaw::none;
    if (flawed || body_bytes > config.max_message_bytes) discard_body();
    if (body_discarded) return count_discarded(bytes.size());
    emit(BodyChunk{std::string(bytes)});
}

void Engine::State::chunk_ended() {
    mode = Mode::command;
    if (chunk.refusal) {
        return refuse(chunk.refusal->code, chunk.refusal->enhanced, chunk.refusal->text);
    }
    if (!chunk.last && !body_discarded) {
        return reply(250, "2.0.0", std::to_string(chunk.size) + " octets received");
    }
    if (!chunk.last) {
        // Told now, so that the client need not send the rest.
        transaction.chunk_refused = true;
        return reply(refused_body(line_check.flaw()));
    }
    line_check.finish();
    const bool flawed = line_check.flaw() != wire::DotUnstuffer::Flaw::none;
    if (flawed) discard_body();
    // Unlike DATA, BDAT need not end with a line; the message as it is kept does.
    const bool complete = transaction.parameters.body_binary || line_check.at_line_start();
    if (!body_discarded && !complete) emit(BodyChunk{"\r\n"});
    body_ended(line_check.flaw());
}

}  // namespace postern::smtp

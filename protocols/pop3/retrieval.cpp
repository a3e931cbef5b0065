#include "protocols/pop3/session.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::pop3 {

namespace {

constexpr std::size_t spare_bytes = 128;  // of a reply: the line before the message and its end

}  // namespace

void Engine::State::retr(std::string_view argument) {
    if (const auto index = find_message(argument)) start_retrieval(*index, std::nullopt);
}

void Engine::State::top(std::string_view argument) {
    const std::size_t space = argument.find(' ');
    const auto body_lines = space == std::string_view::npos
                                ? std::nullopt
                                : wire::parse_number(argument.substr(space + 1));
    if (!body_lines) return refuse("Say TOP, a message number and a number of lines");
    if (const auto index = find_message(argument.substr(0, space))) {
        start_retrieval(*index, TopCounter(*body_lines));
    }
}

void Engine::State::start_retrieval(std::size_t index, std::optional<TopCounter> top_counter) {
    retrieval = {index, 0, top_counter, false, {}};
    mode = Mode::message;
}

void Engine::State::continue_retrieval() {
    const Message& message = maildrop[retrieval.index];
    const bool all_sent = retrieval.offset >= message.size;
    if (all_sent || (retrieval.top && retrieval.top->done())) {
        answer_retrieval();
        retrieval.stuffer.finish(held_replies);
        mode = Mode::command;
        return;
    }
    const std::uint64_t chunk_bytes = retrieval.top ? top_chunk_bytes : read_chunk_bytes;
    ask(ReadMessage{retrieval.index, retrieval.offset,
                    std::min(chunk_bytes, message.size - retrieval.offset)},
        Question::read);
}

void Engine::State::bytes_read(const MessageBytes& answer) {
    if (!answer.ok) {
        if (!retrieval.answered) {
            mode = Mode::command;
            return error("SYS/TEMP", "The message cannot be read now");
        }
        // Half a message is out: only the missing end tells the client that it is not whole.
        log("a message could not be read to its end");
        return close();
    }
    answer_retrieval();
    std::string_view bytes = answer.bytes;
    if (bytes.empty()) retrieval.offset = maildrop[retrieval.index].size;
    retrieval.offset += bytes.size();
    if (retrieval.top) bytes = bytes.substr(0, retrieval.top->take(bytes));
    // In one step rather than doubling from a line up: a dot in 64 bytes is more than mail has.
    // Where more commands wait, more is about to follow.
    const std::size_t wanted = bytes.size() + bytes.size() / 64 + spare_bytes;
    if (held_replies.capacity() < held_replies.size() + wanted) {
        held_replies.reserve(wanted + (input.empty() ? held_replies.size() : held_reply_bytes));
    }
    retrieval.stuffer.write(bytes, held_replies);
    if (held_replies.size() >= held_reply_bytes) flush();
}

void Engine::State::answer_retrieval() {
    if (std::exchange(retrieval.answered, true)) return;
    if (retrieval.top) return ok("Top of the message follows");
    ok(std::to_string(maildrop[retrieval.index].size) + " octets");
}

}  // namespace postern::pop3

// Finds where a command ends (RFC 3501 section 2.2.1, literals of section 4.3, RFC 7888).
//
// A command is a line ended by CR LF; a line that ends in {n} or {n+} goes on with n bytes of
// literal and another line. The owner decides about each literal: it joins the text, streams by, or
// is skipped. Events do not depend on how the input was cut. Memory: the input that was fed and not
// yet looked at, and at most max_command_bytes of text.
#pragma once

#include "protocols/wire/input_buffer.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

class Framer {
public:
    enum class Event : std::uint8_t {
        need_more,
        command,   // text() is whole, literals in place, without the last CR LF
        literal,   // a literal was announced: call one of take, stream, skip or drop
        too_long,  // text() is the beginning; the rest is skipped
        bare_lf,   // an LF without CR: text() came before it; skipped up to the next CR LF
    };
    struct Literal {
        std::uint64_t size = 0;      // saturates
        bool synchronizing = false;  // the client waits for a continuation
    };

    void feed(std::string_view bytes) { input_.append(bytes); }
    std::size_t buffered_bytes() const { return input_.size(); }
    void clear();  // forgets all input and any half-read command
    std::string take_input();  // what was not looked at yet; then clear()

    // literals: false reads plain lines, as in AUTHENTICATE and IDLE.
    Event next(bool literals);
    // Of the last event other than need_more; for `literal` without the announcement.
    std::string_view text() const { return text_; }
    const Literal& literal() const { return literal_; }

    void take_literal();  // its size must fit room()
    std::size_t room() const;
    // The literal's bytes come out of chunk(); then text() starts afresh with what follows.
    void stream_literal();
    // Skips the literal and what follows up to the command's end, without another event.
    void skip_command();
    // A synchronizing literal was refused: the client will not send it, and the command is over.
    void drop_command();

    bool streaming() const { return state_ == State::stream; }
    // Whole chunks of max_bytes, or the literal's last piece; nullopt: need more. An empty chunk:
    // the literal is over.
    std::optional<std::string> chunk(std::size_t max_bytes);

private:
    enum class State : std::uint8_t { fresh, line, decide, take, stream, skip_line, skip_literal };

    std::optional<Event> read_line(bool literals);
    Event end_line(std::string_view line, bool literals);
    Event cut_short(Event event);
    std::optional<Event> skip_line();
    void skip_bytes();
    void take_bytes();
    void consume(std::size_t count);

    wire::InputBuffer input_;
    std::size_t searched_ = 0;  // so many bytes at the front hold no LF
    State state_ = State::fresh;
    std::string text_;
    std::string tail_;  // end of the line that is being skipped
    Literal literal_;
    std::uint64_t left_ = 0;  // bytes of a literal still to come
};

// The announcement at the end of a line, if there is one, and where it begins.
std::optional<Framer::Literal> literal_at_end(std::string_view line, std::size_t& begin);

}  // namespace postern::imap

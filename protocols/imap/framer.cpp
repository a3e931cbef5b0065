#include "protocols/imap/framer.h"

#include "protocols/imap/engine.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace postern::imap {
namespace {

// Longer than any announcement whose size fits 64 bits, so that skipping need not keep the line.
constexpr std::size_t max_announcement_bytes = 40;

}  // namespace

std::optional<Framer::Literal> literal_at_end(std::string_view line, std::size_t& begin) {
    if (line.size() < 3 || line.back() != '}') return std::nullopt;
    std::size_t at = line.size() - 1;
    const bool synchronizing = line[at - 1] != '+';
    if (!synchronizing) --at;
    std::size_t first = at;
    while (first > 0 && wire::is_digit(line[first - 1])) --first;
    if (first == at || first == 0 || line[first - 1] != '{') return std::nullopt;
    begin = first - 1;
    const auto size = wire::parse_number(line.substr(first, at - first));
    return Framer::Literal{size.value_or(std::numeric_limits<std::uint64_t>::max()), synchronizing};
}

void Framer::clear() {
    *this = Framer();
}

std::string Framer::take_input() {
    std::string input(input_.view());
    clear();
    return input;
}

void Framer::consume(std::size_t count) {
    input_.consume(count);
    searched_ = 0;
    if (input_.empty()) input_.clear();
}

Framer::Event Framer::next(bool literals) {
    for (;;) {
        std::optional<Event> event;
        switch (state_) {
            case State::fresh:
                text_.clear();
                state_ = State::line;
                break;
            case State::line:
                event = read_line(literals);
                break;
            case State::take:
                take_bytes();
                if (left_ > 0) return Event::need_more;
                state_ = State::line;
                break;
            case State::skip_line:
                event = skip_line();
                break;
            case State::skip_literal:
                skip_bytes();
                if (left_ > 0) return Event::need_more;
                state_ = State::skip_line;
                break;
            case State::decide:
            case State::stream:
                assert(false && "the literal waits for a decision");
                return Event::need_more;
        }
        if (event) return *event;
    }
}

std::optional<Framer::Event> Framer::read_line(bool literals) {
    const std::string_view input = input_.view();
    const std::size_t lf = input.find('\n', searched_);
    const std::size_t line_bytes = lf == std::string_view::npos ? input.size() : lf;
    if (text_.size() + line_bytes > max_command_bytes) {
        text_.append(input.substr(0, max_command_bytes - text_.size()));
        return cut_short(Event::too_long);
    }
    if (lf == std::string_view::npos) {
        searched_ = input.size();
        return Event::need_more;
    }
    const std::string_view line = input.substr(0, lf);
    if (line.empty() || line.back() != '\r') {
        text_.append(line);
        consume(lf);
        return cut_short(Event::bare_lf);
    }
    return end_line(line.substr(0, line.size() - 1), literals);
}

Framer::Event Framer::end_line(std::string_view line, bool literals) {
    std::size_t begin = 0;
    const auto announced = literals ? literal_at_end(line, begin) : std::nullopt;
    text_.append(line);
    consume(line.size() + 2);
    if (!announced) {
        state_ = State::fresh;
        return Event::command;
    }
    text_.resize(text_.size() - (line.size() - begin));
    literal_ = *announced;
    state_ = State::decide;
    return Event::literal;
}

Framer::Event Framer::cut_short(Event event) {
    state_ = State::skip_line;
    tail_.clear();
    if (event == Event::bare_lf) consume(1);
    return event;
}

// A literal inside what is skipped has to be skipped as well: its bytes are the user's data, and
// must never be taken for commands.
std::optional<Framer::Event> Framer::skip_line() {
    const std::string_view input = input_.view();
    const std::size_t lf = input.find('\n');
    const std::string_view line = input.substr(0, lf);
    const std::string_view end =
        line.substr(line.size() - std::min(line.size(), max_announcement_bytes));
    tail_.append(end);
    if (tail_.size() > max_announcement_bytes) {
        tail_.erase(0, tail_.size() - max_announcement_bytes);
    }
    const bool ended = lf != std::string_view::npos;
    consume(line.size() + (ended ? 1 : 0));
    if (!ended) return Event::need_more;
    std::string tail;
    tail.swap(tail_);
    if (tail.empty() || tail.back() != '\r') {
        text_.clear();
        return Event::bare_lf;
    }
    tail.pop_back();
    std::size_t begin = 0;
    const auto announced = literal_at_end(tail, begin);
    state_ = State::fresh;
    if (announced && !announced->synchronizing) {
        left_ = announced->size;
        state_ = State::skip_literal;
    }
    return std::nullopt;
}

void Framer::skip_bytes() {
    const std::uint64_t count = std::min<std::uint64_t>(left_, input_.size());
    consume(count);
    left_ -= count;
}

void Framer::take_bytes() {
    const std::uint64_t count = std::min<std::uint64_t>(left_, input_.size());
    text_.append(input_.view().substr(0, count));
    consume(count);
    left_ -= count;
}

std::size_t Framer::room() const {
    // Room also for the announcement, which the grammar wants to see in place.
    const std::size_t used = text_.size() + max_announcement_bytes;
    return used < max_command_bytes ? max_command_bytes - used : 0;
}

void Framer::take_literal() {
    assert(state_ == State::decide && literal_.size <= room());
    text_ += '{' + std::to_string(literal_.size) + "}\r\n";
    left_ = literal_.size;
    state_ = State::take;
}

void Framer::stream_literal() {
    assert(state_ == State::decide);
    left_ = literal_.size;
    text_.clear();
    state_ = State::stream;
}

void Framer::skip_command() {
    assert(state_ == State::decide);
    tail_.clear();
    left_ = literal_.size;
    state_ = State::skip_literal;
}

void Framer::drop_command() {
    assert(state_ == State::decide);
    state_ = State::fresh;
}

std::optional<std::string> Framer::chunk(std::size_t max_bytes) {
    assert(state_ == State::stream);
    if (left_ == 0) {
        state_ = State::line;
        return std::string();
    }
    const std::uint64_t wanted = std::min<std::uint64_t>(left_, max_bytes);
    if (input_.size() < wanted) return std::nullopt;
    std::string bytes(input_.view().substr(0, wanted));
    consume(wanted);
    left_ -= wanted;
    return bytes;
}

}  // namespace postern::imap

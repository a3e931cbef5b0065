// Where TOP ends: the header, the empty line, and so many lines of the body (RFC 1939 section 7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::pop3 {

class TopCounter {
public:
    explicit TopCounter(std::uint64_t body_lines) : lines_left_(body_lines) {}

    // How many of these next bytes of the message belong to the answer.
    std::size_t take(std::string_view bytes);
    bool done() const { return !in_header_ && lines_left_ == 0; }

private:
    enum class Line : std::uint8_t { empty, only_cr, text };

    void line_ended();

    std::uint64_t lines_left_;
    bool in_header_ = true;
    Line line_ = Line::empty;  // what it holds so far
};

}  // namespace postern::pop3

// Cuts command lines out of a byte stream. Only CR LF ends a line.
//
// What a peer can do wrong is an event of its own, reported as soon as it is certain, so that a
// client with wrong line endings gets an error instead of silence:
//   too_long  the line does not fit the limit; what follows up to its CR LF is skipped.
//   bare_lf   an LF without CR: the line up to its CR LF is skipped (one event for each bare LF).
//   skipped   such a line has ended: the input now starts with a new one.
// A bare CR is left in the text, with has_bare_cr set. Events do not depend on how the input was
// cut.
#pragma once

#include <cstddef>
#include <string_view>

namespace postern::wire {

struct LineEvent {
    enum class Kind { need_more, line, too_long, bare_lf, skipped };
    Kind kind = Kind::need_more;
    std::string_view text;     // kind line: without CR LF; points into the input
    std::size_t consumed = 0;  // drop so many bytes of input before the next call
    bool has_bare_cr = false;
};

class LineReader {
public:
    // input: all bytes not consumed yet. max_bytes: of the line that they start with (while one is
    // skipped: no matter), with its CR LF; at least 2.
    LineEvent next(std::string_view input, std::size_t max_bytes);
    void reset() { *this = LineReader(); }

private:
    LineEvent skip(std::string_view input);

    std::size_t searched_ = 0;  // so many bytes at the front are known to hold no LF
    bool skipping_ = false;
    bool skipped_cr_ = false;  // the last byte skipped was CR
};

}  // namespace postern::wire

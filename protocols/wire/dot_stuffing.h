// Dot-stuffing both ways (RFC 5321 section 4.5.2, RFC 1939 section 3), over streams of any length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::wire {

// Writes a text for a peer that ends it at CRLF.CRLF. An LF without CR becomes CRLF.
class DotStuffer {
public:
    void write(std::string_view bytes, std::string& out);
    // Completes the last line if need be, and appends ".CRLF".
    void finish(std::string& out);

private:
    bool at_line_start_ = true;
    bool after_cr_ = false;
};

// Reads such a text, strictly: only CRLF ends a line and only CRLF.CRLF ends the text, so that no
// other server on the path can see an end where this one does not (or the reverse).
//
// A flaw does not end the text: reading goes on to the true end, but nothing more is written to
// out, since a flawed text must be refused. NUL and 8-bit bytes are not flaws. At the end, neither
// where it is nor the flaw depend on how the input was cut; how much was written before a flaw may.
class DotUnstuffer {
public:
    enum class Flaw : std::uint8_t { none, bare_lf, bare_cr, line_too_long };

    struct Progress {
        std::size_t consumed = 0;
        bool ended =
            false;  // the terminating line was consumed; the rest of input is not the text's
    };

    // max_line_bytes: of a line as it is kept, with CRLF.
    explicit DotUnstuffer(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

    Progress read(std::string_view input, std::string& out);
    Flaw flaw() const;  // of all those seen, the one that comes first in the enum

private:
    enum class At : std::uint8_t { line_start, first_dot, first_dot_cr, in_line, after_cr, ended };

    bool step(char c, std::string& out);
    std::size_t read_lines(std::string_view input, std::string& out);
    void inspect_line(std::string_view segment);
    void keep(std::string_view bytes, std::string& out);

    std::size_t max_line_bytes_;
    std::size_t line_bytes_ = 0;  // kept of the current line
    At at_ = At::line_start;
    bool bare_lf_ = false;
    bool bare_cr_ = false;
    bool line_too_long_ = false;
};

}  // namespace postern::wire

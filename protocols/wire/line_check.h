// Watches the line ends of a text that comes in pieces of a known length (RFC 3030 BDAT), where no
// dot tells the end. Flaws are those of DotUnstuffer, so that both ways in take the same messages.
#pragma once

#include "protocols/wire/dot_stuffing.h"

#include <cstddef>
#include <string_view>

namespace postern::wire {

class LineCheck {
public:
    // max_line_bytes: with CRLF.
    explicit LineCheck(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

    void read(std::string_view bytes);
    // No more comes: a CR that waits for its LF is bare.
    void finish();
    bool at_line_start() const { return line_bytes_ == 0; }
    DotUnstuffer::Flaw flaw() const;  // of all those seen, the one that comes first in the enum

private:
    std::size_t max_line_bytes_;
    std::size_t line_bytes_ = 0;
    bool after_cr_ = false;
    bool bare_lf_ = false;
    bool bare_cr_ = false;
    bool line_too_long_ = false;
};

}  // namespace postern::wire

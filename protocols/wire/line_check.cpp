#include "protocols/wire/line_check.h"

#include <algorithm>

namespace postern::wire {

void LineCheck::read(std::string_view bytes) {
    while (!bytes.empty()) {
        if (after_cr_) {
            after_cr_ = false;
            if (bytes.front() == '\n') {
                line_too_long_ |= line_bytes_ + 1 > max_line_bytes_;
                line_bytes_ = 0;
                bytes.remove_prefix(1);
                continue;
            }
            bare_cr_ = true;
        }
        const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
        line_bytes_ += end;
        bytes.remove_prefix(end);
        if (bytes.empty()) break;
        ++line_bytes_;
        after_cr_ = bytes.front() == '\r';
        bare_lf_ |= !after_cr_;
        bytes.remove_prefix(1);
    }
    line_too_long_ |= line_bytes_ > max_line_bytes_;
}

void LineCheck::finish() {
    bare_cr_ |= after_cr_;
    after_cr_ = false;
}

DotUnstuffer::Flaw LineCheck::flaw() const {
    if (bare_lf_) return DotUnstuffer::Flaw::bare_lf;
    if (bare_cr_) return DotUnstuffer::Flaw::bare_cr;
    return line_too_long_ ? DotUnstuffer::Flaw::line_too_long : DotUnstuffer::Flaw::none;
}

}  // namespace postern::wire

#include "protocols/pop3/top_counter.h"

#include <algorithm>
#include <utility>

namespace postern::pop3 {

std::size_t TopCounter::take(std::string_view bytes) {
    std::size_t pos = 0;
    while (pos < bytes.size() && !done()) {
        const std::size_t lf = std::min(bytes.find('\n', pos), bytes.size());
        const std::string_view part = bytes.substr(pos, lf - pos);
        if (!part.empty()) {
            line_ = line_ == Line::empty && part == "\r" ? Line::only_cr : Line::text;
        }
        pos = lf;
        if (lf == bytes.size()) break;
        ++pos;
        line_ended();
    }
    return pos;
}

void TopCounter::line_ended() {
    const bool empty = std::exchange(line_, Line::empty) != Line::text;
    if (!in_header_) {
        --lines_left_;
    } else if (empty) {
        in_header_ = false;
    }
}

}  // namespace postern::pop3

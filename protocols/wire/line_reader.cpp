#include "protocols/wire/line_reader.h"

#include <algorithm>

namespace postern::wire {

LineEvent LineReader::next(std::string_view input, std::size_t max_bytes) {
    if (skipping_) return skip(input);
    const std::string_view window = input.substr(0, max_bytes);
    const std::size_t lf = window.find('\n', searched_);
    if (lf == std::string_view::npos) {
        if (input.size() < max_bytes) {
            searched_ = input.size();
            return {};
        }
        searched_ = 0;
        skipping_ = true;
        skipped_cr_ = window.back() == '\r';
        return {LineEvent::Kind::too_long, {}, window.size(), false};
    }
    searched_ = 0;
    if (lf == 0 || window[lf - 1] != '\r') {
        skipping_ = true;
        skipped_cr_ = false;
        return {LineEvent::Kind::bare_lf, {}, lf + 1, false};
    }
    const std::string_view text = window.substr(0, lf - 1);
    return {LineEvent::Kind::line, text, lf + 1, text.find('\r') != std::string_view::npos};
}

LineEvent LineReader::skip(std::string_view input) {
    const std::size_t lf = input.find('\n');
    if (lf == std::string_view::npos) {
        if (!input.empty()) skipped_cr_ = input.back() == '\r';
        return {LineEvent::Kind::need_more, {}, input.size(), false};
    }
    const bool line_ended = lf == 0 ? skipped_cr_ : input[lf - 1] == '\r';
    skipped_cr_ = false;
    if (!line_ended) return {LineEvent::Kind::bare_lf, {}, lf + 1, false};

    skipping_ = false;
    return {LineEvent::Kind::skipped, {}, lf + 1, false};
}

}  // namespace postern::wire

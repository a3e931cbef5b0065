#include "protocols/mime/line_reader.h"

#include <cstring>

namespace postern::mime {
namespace {

bool contains_bare_cr(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        const auto left = static_cast<std::size_t>(end - at);
        const void* found = std::memchr(at, '\r', left);
        if (found == nullptr) return false;
        at = static_cast<const char*>(found) + 1;
        if (at == end || *at != '\n') return true;
    }
    return false;
}

}  // namespace

// Bare CR is rare: knowing beforehand that there is none lets every line be found by memchr for LF.
LineReader::LineReader(std::string_view whole) : whole_(whole), bare_cr_(contains_bare_cr(whole)) {}

std::uint64_t LineReader::find_line_end() const {
    const std::uint64_t left = whole_.size() - position_;
    if (bare_cr_) {
        std::uint64_t at = position_;
        while (at < whole_.size() && whole_[at] != '\r' && whole_[at] != '\n') ++at;
        return at;
    }
    const char* const start = whole_.data() + position_;
    const void* found = std::memchr(start, '\n', left);
    if (found == nullptr) return whole_.size();
    const auto size = static_cast<std::uint64_t>(static_cast<const char*>(found) - start);
    return position_ + (size > 0 && start[size - 1] == '\r' ? size - 1 : size);
}

bool LineReader::next(Line& line) {
    if (position_ >= whole_.size()) return false;
    line.begin = position_;
    line.line_ends_before = line_ends_;
    line.line_end_before = last_line_end_;
    line.end = find_line_end();
    if (line.end == whole_.size()) {
        last_line_end_ = 0;
    } else {
        const bool crlf = whole_[line.end] == '\r' && line.end + 1 < whole_.size() &&
                          whole_[line.end + 1] == '\n';
        last_line_end_ = crlf ? 2 : 1;
        if (!crlf && whole_[line.end] == '\n') bare_lf_ = true;
        ++line_ends_;
    }
    line.next = line.end + last_line_end_;
    position_ = line.next;
    return true;
}

void LineReader::skip_rest() {
    Line line;
    while (next(line)) {
    }
}

}  // namespace postern::mime

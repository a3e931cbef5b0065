#include "gateway/mailsource/line_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::mailsource {

namespace {
constexpr std::size_t buffer_bytes = 256 * 1024;
}

LineReader::~LineReader() {
    close();
}

void LineReader::close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

bool LineReader::open(const std::string& path) {
    close();
    buffer_.resize(buffer_bytes);
    begin_ = end_ = 0;
    at_line_begin_ = true;
    failed_ = false;
    read_bytes_ = 0;
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return descriptor_ >= 0;
}

bool LineReader::fill() {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    for (;;) {
        const auto got = ::read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
        if (got < 0 && errno == EINTR) continue;
        failed_ = got < 0;
        if (got <= 0) return false;
        end_ += static_cast<std::size_t>(got);
        read_bytes_ += static_cast<std::uint64_t>(got);
        return true;
    }
}

bool LineReader::next(LinePiece& piece) {
    std::size_t searched = 0;
    for (;;) {
        const std::string_view held(buffer_.data() + begin_, end_ - begin_);
        const auto line_end = held.find('\n', searched);
        if (line_end != std::string_view::npos) {
            piece = {held.substr(0, line_end), at_line_begin_, true};
            if (piece.text.ends_with('\r')) piece.text.remove_suffix(1);
            begin_ += line_end + 1;
            at_line_begin_ = true;
            return true;
        }
        searched = held.size();
        if (held.size() < buffer_.size() && fill()) continue;
        if (failed_ || begin_ == end_) return false;
        // A CR at the very end may belong to a CRLF: it stays for the next piece.
        const bool whole_buffer = end_ - begin_ == buffer_.size();
        const std::size_t take =
            end_ - begin_ - (whole_buffer && buffer_[end_ - 1] == '\r' ? 1 : 0);
        piece = {std::string_view(buffer_.data() + begin_, take), at_line_begin_, false};
        begin_ += take;
        at_line_begin_ = false;
        return true;
    }
}

}  // namespace postern::mailsource

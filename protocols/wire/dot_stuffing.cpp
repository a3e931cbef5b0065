#include "protocols/wire/dot_stuffing.h"

#include <cassert>

namespace postern::wire {

// Most lines go out as they came: what lies between two places that need a byte more is copied in
// one piece.
void DotStuffer::write(std::string_view bytes, std::string& out) {
    if (bytes.empty()) return;
    if (at_line_start_ && bytes.front() == '.') out += '.';
    std::size_t copied = 0;
    for (std::size_t lf = bytes.find('\n'); lf != std::string_view::npos;) {
        const bool has_cr = lf == 0 ? after_cr_ : bytes[lf - 1] == '\r';
        const std::size_t next = lf + 1;
        if (!has_cr) {
            out.append(bytes.substr(copied, lf - copied)).append("\r\n");
            copied = next;
        }
        if (next < bytes.size() && bytes[next] == '.') {
            out.append(bytes.substr(copied, next - copied)).append(1, '.');
            copied = next;
        }
        lf = bytes.find('\n', next);
    }
    out.append(bytes.substr(copied));
    at_line_start_ = bytes.back() == '\n';
    after_cr_ = bytes.back() == '\r';
}

void DotStuffer::finish(std::string& out) {
    if (!at_line_start_) out += "\r\n";
    out += ".\r\n";
}

DotUnstuffer::Progress DotUnstuffer::read(std::string_view input, std::string& out) {
    assert(at_ != At::ended);
    std::size_t pos = 0;
    while (pos < input.size() && at_ != At::ended) {
        if (at_ == At::in_line) {
            pos += read_lines(input.substr(pos), out);
        } else if (step(input[pos], out)) {
            ++pos;
        }
    }
    return {pos, at_ == At::ended};
}

DotUnstuffer::Flaw DotUnstuffer::flaw() const {
    if (bare_lf_) return Flaw::bare_lf;
    if (bare_cr_) return Flaw::bare_cr;
    return line_too_long_ ? Flaw::line_too_long : Flaw::none;
}

// One byte around a line's border. False: the byte was not taken, look again in the new state.
bool DotUnstuffer::step(char c, std::string& out) {
    switch (at_) {
        case At::line_start:
            at_ = c == '.' ? At::first_dot : At::in_line;
            return c == '.';
        case At::first_dot:
            at_ = c == '\r' ? At::first_dot_cr : At::in_line;
            return c == '\r';
        case At::first_dot_cr:
        case At::after_cr:
            if (c != '\n') {
                bare_cr_ = true;
                ++line_bytes_;
                at_ = At::in_line;
                return false;
            }
            if (at_ == At::first_dot_cr) {
                at_ = At::ended;
                return true;
            }
            line_too_long_ |= line_bytes_ + 2 > max_line_bytes_;
            line_bytes_ = 0;
            keep("\r\n", out);
            at_ = At::line_start;
            return true;
        case At::in_line:
        case At::ended:
            break;
    }
    assert(false);
    return true;
}

// Takes as many whole lines as do not start with a dot, then what is there of the last one, and
// writes them at one go: only the search for line ends touches every byte.
std::size_t DotUnstuffer::read_lines(std::string_view input, std::string& out) {
    std::size_t pos = 0;
    while (true) {
        const std::size_t lf = input.find('\n', pos);
        if (lf == std::string_view::npos) break;
        inspect_line(input.substr(pos, lf + 1 - pos));
        pos = lf + 1;
        if (at_ != At::line_start) continue;
        if (pos == input.size() || input[pos] == '.') {
            keep(input.substr(0, pos), out);
            return pos;
        }
        at_ = At::in_line;
    }
    std::string_view rest = input.substr(pos);
    const std::size_t cr = rest.find('\r');
    if (cr != std::string_view::npos) {
        bare_cr_ |= cr + 1 < rest.size();
        if (rest.back() == '\r') {
            rest.remove_suffix(1);
            at_ = At::after_cr;
        }
    }
    line_bytes_ += rest.size();
    line_too_long_ |= line_bytes_ > max_line_bytes_;
    keep(input.substr(0, pos + rest.size()), out);
    return pos + rest.size() + (at_ == At::after_cr ? 1 : 0);
}

// segment: from inside a line to its first LF.
void DotUnstuffer::inspect_line(std::string_view segment) {
    line_bytes_ += segment.size();
    line_too_long_ |= line_bytes_ > max_line_bytes_;
    const std::size_t cr = segment.find('\r');
    const std::size_t before_lf = segment.size() - 2;
    if (segment.size() >= 2 && segment[before_lf] == '\r') {
        bare_cr_ |= cr != before_lf;
        at_ = At::line_start;
        line_bytes_ = 0;
    } else {
        bare_lf_ = true;
        bare_cr_ |= cr != std::string_view::npos;
    }
}

void DotUnstuffer::keep(std::string_view bytes, std::string& out) {
    if (flaw() == Flaw::none) out.append(bytes);
}

}  // namespace postern::wire

#include "appliance/cli/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace postern::cli {

namespace {

constexpr int bar_columns = 30;
constexpr auto redraw_interval = std::chrono::milliseconds(100);

// Turns echo off on stdin while it lives.
class Silence {
public:
    Silence() {
        known_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        if (!known_) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ~Silence() {
        if (known_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    termios before_{};
    bool known_ = false;
};

// False: the end of stdin before any byte, or a line over the limit.
bool read_line(std::string& line) {
    line.clear();
    for (;;) {
        const int c = std::getchar();
        if (c == EOF) return !line.empty();
        if (c == '\n') break;
        if (line.size() > max_password_bytes) return false;
        line.push_back(static_cast<char>(c));
    }
    if (line.ends_with('\r')) line.pop_back();
    return true;
}

Result<std::string> checked(std::string password) {
    if (password.empty()) return Error{Errc::invalid, "the password is empty"};
    if (password.size() > max_password_bytes) {
        return Error{Errc::invalid, "the password is longer than " +
                                        std::to_string(max_password_bytes) + " bytes"};
    }
    if (password.find('\0') != std::string::npos) {
        return Error{Errc::invalid, "the password holds a NUL byte"};
    }
    return password;
}

std::string ask_hidden(const std::string& prompt) {
    const Silence silence;
    std::fputs(prompt.c_str(), stderr);
    std::string line;
    read_line(line);
    std::fputc('\n', stderr);
    return line;
}

}  // namespace

bool is_terminal(int descriptor) {
    return ::isatty(descriptor) == 1;
}

std::string coloured(std::string_view text, Colour colour) {
    static const bool on = is_terminal(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr;
    if (!on) return std::string(text);
    static constexpr const char* codes[] = {"31", "33", "32", "1"};
    return std::string("\x1b[") + codes[static_cast<int>(colour)] + "m" + std::string(text) +
           "\x1b[0m";
}

Result<std::string> ask_new_password(const std::string& prompt) {
    if (!is_terminal(STDIN_FILENO)) {
        return Error{Errc::unavailable, "no terminal to ask for the password"};
    }
    auto first = checked(ask_hidden(prompt + ": "));
    if (!first) return first;
    if (ask_hidden(prompt + " again: ") != *first) {
        return Error{Errc::invalid, "the two passwords differ"};
    }
    return first;
}

Result<std::string> read_password_line() {
    std::string line;
    read_line(line);
    return checked(std::move(line));
}

bool confirm(const std::string& question) {
    if (!is_terminal(STDIN_FILENO)) return false;
    std::fputs((question + " [y/N] ").c_str(), stderr);
    std::string line;
    read_line(line);
    return !line.empty() && (line[0] == 'y' || line[0] == 'Y');
}

ProgressBar::ProgressBar(std::string label, std::string unit)
    : label_(std::move(label)), unit_(std::move(unit)), shown_(is_terminal(STDERR_FILENO)) {}

ProgressBar::~ProgressBar() {
    if (drawn_) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::update(std::uint64_t done, std::uint64_t total, std::uint64_t count) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || (drawn_ && now - last_ < redraw_interval)) return;
    last_ = now;
    drawn_ = true;
    const double share = total == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total);
    const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * bar_columns);
    const std::string bar(static_cast<std::size_t>(filled), '#');
    std::fprintf(stderr, "\r%s [%-*s] %3d%%  %llu %s\x1b[K", label_.c_str(), bar_columns,
                 bar.c_str(), static_cast<int>(std::clamp(share, 0.0, 1.0) * 100),
                 static_cast<unsigned long long>(count), unit_.c_str());
    std::fflush(stderr);
}

}  // namespace postern::cli

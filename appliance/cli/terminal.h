// What only makes sense with a person at the other end: colours, progress, questions, hidden input.
#pragma once

#include "protocols/base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::cli {

bool is_terminal(int descriptor);

enum class Colour { red, yellow, green, bold };
// Text in that colour when stdout is a terminal (and NO_COLOR is not set), else as it is. Not for
// print().
std::string coloured(std::string_view text, Colour colour);

// Asks on the terminal without echo, twice. Errors: invalid (they differ, empty), unavailable (no
// terminal).
Result<std::string> ask_new_password(const std::string& prompt);
// First line of stdin without its end. Errors: invalid (empty, over max_password_bytes, NUL
// inside).
Result<std::string> read_password_line();
inline constexpr std::size_t max_password_bytes = 1024;

// True only for an answer that begins with y or Y. False without a terminal.
bool confirm(const std::string& question);

// A bar on stderr, drawn at most ten times a second and only on a terminal.
class ProgressBar {
public:
    explicit ProgressBar(std::string label, std::string unit = "messages");
    ~ProgressBar();  // wipes the bar
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    // `count`: of the unit.
    void update(std::uint64_t done, std::uint64_t total, std::uint64_t count);

private:
    std::string label_;
    std::string unit_;
    bool shown_ = false;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point last_;
};

}  // namespace postern::cli

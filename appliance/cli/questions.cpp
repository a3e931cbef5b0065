#include "appliance/cli/questions.h"

#include "appliance/cli/terminal.h"

#include <unistd.h>

#include <cstdio>

namespace postern::cli {

Result<std::string> ask_line(const std::string& question, const std::string& preset) {
    if (!is_terminal(STDIN_FILENO)) return Error{Errc::unavailable, "no terminal to ask at"};
    std::fputs((question + (preset.empty() ? ": " : " [" + preset + "]: ")).c_str(), stderr);
    std::string line;
    int c = 0;
    while ((c = std::getchar()) != '\n') {
        if (c == EOF) return Error{Errc::unavailable, "the answers ended"};
        if (line.size() == max_answer_bytes) return Error{Errc::invalid, "the answer is too long"};
        line.push_back(static_cast<char>(c));
    }
    if (line.ends_with('\r')) line.pop_back();
    return line.empty() ? preset : line;
}

}  // namespace postern::cli

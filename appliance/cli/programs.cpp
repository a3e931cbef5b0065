#include "appliance/cli/programs.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

extern char** environ;

namespace postern::cli {

namespace {

// Errors: unavailable. `output`: where its standard output goes; -1: where ours does.
Result<pid_t> start(const std::vector<std::string>& command, int output) {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (output >= 0) ::posix_spawn_file_actions_adddup2(&actions, output, 1);
    pid_t child = 0;
    const int failed =
        ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        return Error{Errc::unavailable, command[0] + ": " + std::strerror(failed)};
    }
    return child;
}

// Its exit code. Errors: unavailable.
Result<int> wait_for_code(const std::string& name, pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return Error{Errc::unavailable, name + ": was lost sight of"};
    }
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    return Error{Errc::unavailable,
                 name + " was ended by signal " + std::to_string(WTERMSIG(status))};
}

Result<void> wait_for_end(const std::string& name, pid_t child) {
    const auto code = wait_for_code(name, child);
    if (!code) return code.error();
    if (*code == 0) return {};
    return Error{Errc::unavailable, name + " ended with " + std::to_string(*code)};
}

}  // namespace

Result<void> run_program(const std::vector<std::string>& command) {
    const auto child = start(command, -1);
    if (!child) return child.error();
    return wait_for_end(command[0], *child);
}

Result<int> code_of_program(const std::vector<std::string>& command) {
    const auto child = start(command, -1);
    if (!child) return child.error();
    return wait_for_code(command[0], *child);
}

Result<void> read_program(const std::vector<std::string>& command,
                          const std::function<void(std::string_view)>& take) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return Error{Errc::unavailable, command[0] + ": " + std::strerror(errno)};
    }
    const auto child = start(command, ends[1]);
    ::close(ends[1]);
    std::FILE* in = ::fdopen(ends[0], "r");
    std::string line;
    for (int c = 0; child && (c = std::getc(in)) != EOF;) {
        if (c == '\n') {
            take(line);
            line.clear();
        } else if (line.size() < max_read_line_bytes) {
            line += static_cast<char>(c);
        }
    }
    if (!line.empty()) take(line);
    std::fclose(in);
    if (!child) return child.error();
    return wait_for_end(command[0], *child);
}

}  // namespace postern::cli

// Runs one test of this program in a process of its own, for tests that need a second or a dying
// process.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

extern char** environ;

namespace postern::test {

inline constexpr char child_argument_name[] = "POSTERN_TEST_CHILD";

// What the parent gave to run_child; nullptr in the parent.
inline const char* child_argument() {
    return std::getenv(child_argument_name);
}

class Child {
public:
    // Starts the test named `filter` with `argument`; what it writes to standard output can be
    // read.
    Child(const std::string& filter, const std::string& argument) {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        output_ = ends[0];
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        const std::string filtering = "--gtest_filter=" + filter;
        std::vector<std::string> words{"/proc/self/exe", filtering, "--gtest_brief=1"};
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const std::string variable = std::string(child_argument_name) + "=" + argument;
        std::vector<char*> environment;
        for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
        environment.push_back(const_cast<char*>(variable.c_str()));
        environment.push_back(nullptr);
        EXPECT_EQ(::posix_spawn(&id_, words[0].c_str(), &actions, nullptr, arguments.data(),
                                environment.data()),
                  0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
    }
    ~Child() {
        if (id_ != 0) {
            kill();
            wait();
        }
        ::close(output_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void kill() { ::kill(id_, SIGKILL); }

    // The exit code, or minus the signal.
    int wait() {
        int status = 0;
        ::waitpid(id_, &status, 0);
        id_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    // Up to the next newline; false at the end of the output.
    bool read_line(std::string& line) {
        for (;;) {
            const std::size_t end = pending_.find('\n');
            if (end != std::string::npos) {
                line = pending_.substr(0, end);
                pending_.erase(0, end + 1);
                return true;
            }
            char buffer[4096];
            const ssize_t got = ::read(output_, buffer, sizeof buffer);
            if (got <= 0) return false;
            pending_.append(buffer, static_cast<std::size_t>(got));
        }
    }

private:
    pid_t id_ = 0;
    int output_ = -1;
    std::string pending_;
};

}  // namespace postern::test

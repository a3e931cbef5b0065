// How many durable 4 kB appends a second this file system takes when waiting writers are joined
// into one write and one fdatasync. Prints one line of JSON.
//
//   commit_limit --file PATH [--threads N] [--seconds N]
#include "tests/bench/load/group_log.h"
#include "tests/bench/load/options.h"

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace postern::bench {
namespace {

void run(const Options& options) {
    const std::string path = options.text("--file");
    const auto seconds = std::chrono::seconds(options.number("--seconds", 3));
    GroupLog log(path);
    std::atomic<std::uint64_t> count = 0;
    std::vector<std::thread> threads;
    const auto end = std::chrono::steady_clock::now() + seconds;
    for (unsigned long i = 0; i < options.number("--threads", 20); ++i)
        threads.emplace_back([&] {
            for (; std::chrono::steady_clock::now() < end; ++count) log.append();
        });
    for (auto& thread : threads) thread.join();
    unlink(path.c_str());
    std::cout << "{\"appends_per_s\": " << double(count) / double(seconds.count()) << "}\n";
}

}  // namespace
}  // namespace postern::bench

int main(int count, char** words) {
    postern::bench::run(postern::bench::Options(count, words));
}

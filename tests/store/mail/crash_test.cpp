// A process that appends, moves, copies, flags and expunges on several threads is killed at a
// random moment, again and again: what it was told is done must be so, exactly once.
//
// POSTERN_CRASH_ROUNDS (20 by default) says how often, POSTERN_CRASH_SEED where chance begins.
#include "tests/store/mail/crash_work.h"
#include "tests/store/support/child.h"
#include "tests/store/support/temp_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>
#include <sstream>
#include <thread>

namespace postern::mail {
namespace {

// The check after a kill reads the whole store, so that it may not grow for ever.
constexpr unsigned rounds_a_store = 50;

// One atomic write each.
void print(const std::string& line) {
    const std::string text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) != ssize_t(text.size())) std::abort();
}

TEST(CrashProcess, WorksUntilKilled) {
    if (test::child_argument() == nullptr) GTEST_SKIP() << "runs in a child";
    std::istringstream words(test::child_argument());
    std::string folder, round;
    unsigned seed = 0;
    words >> folder >> round >> seed;
    OpenStore store = open_store(folder);
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_at_work; ++t) {
        threads.emplace_back([&, t] {
            Worker(store, "r" + round + "t" + std::to_string(t) + "n",
                   seed + static_cast<unsigned>(t), print)
                .run();
        });
    }
    for (std::thread& thread : threads) thread.join();
}

struct Tally {
    unsigned idle_rounds = 0;
    int changes = 0;
};

// On one store, that grows with each round.
Tally run_rounds(unsigned first, unsigned last, std::mt19937& random) {
    Tally done;
    test::TempFolder folder;
    open_store(folder.string());
    Witness witness;
    for (unsigned round = first; round < last && !testing::Test::HasFailure(); ++round) {
        test::Child child("CrashProcess.WorksUntilKilled",
                          folder.string() + " " + std::to_string(round) + " " +
                              std::to_string(random() % 1'000'000));
        const int before = witness.ended();
        std::thread killer;
        std::string line;
        while (child.read_line(line)) {
            if (line[0] != '@') continue;
            if (!killer.joinable()) {
                const auto life = std::chrono::milliseconds(50 + random() % 250);
                killer = std::thread([&child, life] {
                    std::this_thread::sleep_for(life);
                    child.kill();
                });
            }
            witness.hear(line);
        }
        if (killer.joinable()) killer.join();
        EXPECT_EQ(child.wait(), -SIGKILL);
        // A disk that is busy with other things may let a round pass.
        if (witness.ended() == before) ++done.idle_rounds;
        OpenStore store = open_store(folder.string());
        witness.check(store);
        expect_sound(*store.engine);
    }
    done.changes = witness.ended();
    return done;
}

TEST(Crash, WhatWasAnsweredIsThereExactlyOnce) {
    const unsigned rounds = number_from_environment("POSTERN_CRASH_ROUNDS", 20);
    const unsigned seed = number_from_environment("POSTERN_CRASH_SEED", std::random_device{}());
    RecordProperty("seed", std::to_string(seed));
    std::mt19937 random(seed);
    Tally all;
    for (unsigned first = 0; first < rounds; first += rounds_a_store) {
        const Tally done = run_rounds(first, std::min(first + rounds_a_store, rounds), random);
        all.idle_rounds += done.idle_rounds;
        all.changes += done.changes;
    }
    std::cout << rounds << " kills, " << all.changes << " changes answered before them, "
              << all.idle_rounds << " rounds without any\n";
    EXPECT_LE(all.idle_rounds, rounds / 2) << "too little was done to prove anything";
    EXPECT_FALSE(HasFailure()) << "POSTERN_CRASH_SEED=" << seed;
}

}  // namespace
}  // namespace postern::mail

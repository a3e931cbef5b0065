// A store under churn: filled once, then mail comes in and random old mail goes, for many times
// what it holds. Whether the rate and the files stay as they were, beside what the disk takes then.
//
//     POSTERN_CHURN_MB=20000 store_churn_bench     (400 where it is not set)
#include "store/care/check.h"
#include "tests/bench/bench_store.h"
#include "tests/bench/corpus_files.h"
#include "tests/bench/load/group_log.h"

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <random>
#include <semaphore>
#include <thread>

namespace postern::bench {
namespace {

constexpr unsigned mailboxes = 64;
constexpr std::ptrdiff_t writers = 32;
constexpr unsigned steps = 10;          // of the whole volume; a figure for each
constexpr std::uint64_t standing = 10;  // the store holds one part in so many of the volume
constexpr std::size_t expunged_at_once = 20;
constexpr std::uint64_t default_mb = 400;

using Clock = std::chrono::steady_clock;

std::uint64_t volume_bytes() {
    const char* text = std::getenv("POSTERN_CHURN_MB");
    return (text == nullptr ? default_mb : std::strtoull(text, nullptr, 10)) * 1'000'000;
}

// Real messages, each made different from all others by its number, so that nothing is shared.
std::string numbered(const std::string& message, std::uint64_t number) {
    std::string text = "X-Number: " + std::to_string(number) + "\r\n" + message;
    const std::string mark = std::to_string(number * 0x9e3779b97f4a7c15);
    for (std::size_t at = text.size() / 2; at + mark.size() < text.size(); at += 4096) {
        text.replace(at, mark.size(), mark);
    }
    return text;
}

struct Box {
    MailboxId id;
    std::mutex mutex;
    std::vector<Uid> uids;
};

class Churn {
public:
    Churn() {
        for (const MailboxId inbox : store_.inboxes()) {
            boxes_.push_back(std::make_unique<Box>());
            boxes_.back()->id = inbox;
        }
    }

    // Appends that many bytes of mail; `replacing` as much goes as comes. Messages a second.
    double write(std::uint64_t bytes, bool replacing) {
        const auto begun = Clock::now();
        const std::uint64_t first = number_;
        for (std::uint64_t written = 0; written < bytes;) {
            Box& box = *boxes_[number_ % boxes_.size()];
            const auto& source = corpus()[random_() % corpus().size()];
            mail::NewMessage message;
            message.bytes = std::make_shared<const std::string>(numbered(source, ++number_));
            message.summary = std::string(600, 's');
            message.report = std::string(900, 'r');
            message.internal_date = now();
            written += message.bytes->size();
            slots_.acquire();
            store_.mail().append(box.id, std::move(message), {},
                                 [&](Result<mail::Appended> appended) {
                                     must(appended.has_value(), "append");
                                     {
                                         std::lock_guard lock(box.mutex);
                                         box.uids.push_back(appended->uid);
                                     }
                                     slots_.release();
                                 });
            if (replacing && number_ % expunged_at_once == 0)
                expunge(*boxes_[random_() % mailboxes]);
        }
        for (std::ptrdiff_t i = 0; i < writers; ++i) slots_.acquire();
        slots_.release(writers);
        const std::chrono::duration<double> took = Clock::now() - begun;
        return double(number_ - first) / took.count();
    }

    std::uint64_t file_bytes() { return store_.engine().space()->file_bytes; }
    std::uint64_t expunged() const { return expunged_; }

    void check() {
        care::CheckOptions options;
        options.read_bodies = false;
        const auto report = care::check_store(store_.engine(), options);
        must(report && report->findings == 0, "store check");
    }

private:
    void expunge(Box& box) {
        UidSet gone;
        {
            std::lock_guard lock(box.mutex);
            for (std::size_t i = 0; i < expunged_at_once && box.uids.size() > 1; ++i) {
                std::swap(box.uids[random_() % box.uids.size()], box.uids.back());
                gone.add(box.uids.back());
                box.uids.pop_back();
            }
        }
        expunged_ += gone.size();
        slots_.acquire();
        store_.mail().expunge(box.id, gone, true, [&](const Result<UidSet>& done) {
            must(done.has_value(), "expunge");
            slots_.release();
        });
    }

    BenchStore store_{"store_churn.data", mailboxes};
    std::vector<std::unique_ptr<Box>> boxes_;
    std::mt19937_64 random_{1};
    std::uint64_t number_ = 0, expunged_ = 0;
    std::counting_semaphore<> slots_{writers};
};

// What the disk takes at this time, with as many writers, a second.
double limit() {
    constexpr std::chrono::seconds measured{1};
    const std::string path = std::filesystem::absolute("store_churn.log").string();
    std::atomic<std::uint64_t> appended = 0;
    {
        GroupLog log(path);
        std::vector<std::thread> threads;
        const auto end = Clock::now() + measured;
        for (std::ptrdiff_t i = 0; i < writers; ++i) {
            threads.emplace_back([&] {
                for (; Clock::now() < end; ++appended) log.append();
            });
        }
        for (auto& thread : threads) thread.join();
    }
    std::filesystem::remove(path);
    return double(appended) / double(measured.count());
}

void churn(benchmark::State& state) {
    const std::uint64_t volume = volume_bytes();
    for (auto _ : state) {
        Churn store;
        store.write(volume / standing, false);
        const std::uint64_t filled = store.file_bytes();
        std::vector<double> rates, limits;
        std::vector<std::uint64_t> files;
        std::printf("step  messages/s  grouped appends/s  file MB\n");
        for (unsigned step = 0; step < steps; ++step) {
            limits.push_back(limit());
            rates.push_back(store.write(volume / steps, true));
            files.push_back(store.file_bytes());
            std::printf("%4u  %10.0f  %17.0f  %7.0f\n", step + 1, rates.back(), limits.back(),
                        double(files.back()) / 1e6);
            std::fflush(stdout);
        }
        store.check();
        state.counters["rate_first"] = rates.front();
        state.counters["rate_last"] = rates.back();
        state.counters["limit_first"] = limits.front();
        state.counters["limit_last"] = limits.back();
        state.counters["expunged"] = double(store.expunged());
        state.counters["file_growth"] = double(files.back()) / double(filled);
        state.counters["file_growth_after_first"] = double(files.back()) / double(files.front());
    }
}
BENCHMARK(churn)->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();

}  // namespace
}  // namespace postern::bench

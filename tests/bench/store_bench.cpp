// Durable appends into LMDB mailboxes with so many under way at once, beside grouped append and
// fdatasync on the same disk in the same run; and listing a mailbox.
//
// cpu_us is the whole process's CPU time a message: callers, workers, committers and the kernel.
#include "tests/bench/bench_store.h"
#include "tests/bench/corpus_files.h"
#include "tests/bench/load/group_log.h"

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <semaphore>
#include <thread>

namespace postern::bench {
namespace {

constexpr unsigned mailboxes = 64;
constexpr std::size_t page_rows = 1000;

class Fixture {
public:
    Fixture() {
        for (const auto& message : corpus()) {
            bodies_.push_back(std::make_shared<const std::string>(message));
            // Real text of one size: a message cut or repeated to 4 kB.
            std::string even = message;
            while (even.size() < bench::append_bytes) even += message;
            even.resize(bench::append_bytes);
            even_bodies_.push_back(std::make_shared<const std::string>(std::move(even)));
        }
    }

    template <class Done>
    void append(MailboxId mailbox, std::uint64_t number, bool of_4_kb, Done done) {
        const auto& bodies = of_4_kb ? even_bodies_ : bodies_;
        mail::NewMessage message;
        message.bytes = bodies[number % bodies.size()];
        message.summary = std::string(600, 's');
        message.report = std::string(900, 'r');
        message.internal_date = now();
        OperationId operation;
        for (unsigned i = 0; i < 8; ++i)
            operation.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
        mail().append(mailbox, std::move(message), operation, std::move(done));
    }

    mail::MailStore& mail() { return store_.mail(); }
    const std::vector<MailboxId>& inboxes() const { return store_.inboxes(); }

private:
    BenchStore store_{"store_bench.data", mailboxes};
    std::vector<std::shared_ptr<const std::string>> bodies_, even_bodies_;
};

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return double(time.tv_sec) + time.tv_usec / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// state.range(0) appends are under way at any time.
void append(benchmark::State& state, bool of_4_kb) {
    Fixture fixture;
    const auto in_flight = static_cast<std::ptrdiff_t>(state.range(0));
    std::counting_semaphore<> slots(in_flight);
    std::atomic<std::uint64_t> failed = 0;
    std::uint64_t number = 0;
    const double cpu_before = cpu_seconds();
    for (auto _ : state) {
        slots.acquire();
        const auto mailbox = fixture.inboxes()[number % mailboxes];
        fixture.append(mailbox, ++number, of_4_kb, [&](Result<mail::Appended> appended) {
            if (!appended) ++failed;
            slots.release();
        });
    }
    for (std::ptrdiff_t i = 0; i < in_flight; ++i) slots.acquire();
    if (failed != 0) state.SkipWithError("an append failed");
    state.SetItemsProcessed(state.iterations());
    state.counters["cpu_us"] = (cpu_seconds() - cpu_before) / double(state.iterations()) * 1e6;
}
BENCHMARK_CAPTURE(append, 4_kb, true)->Arg(1)->Arg(32)->Arg(256)->UseRealTime();
BENCHMARK_CAPTURE(append, corpus, false)->Arg(1)->Arg(32)->Arg(256)->UseRealTime();

// The same number of writers, each waiting for its 4 kB in one shared log.
void grouped_append(benchmark::State& state) {
    const std::string path = std::filesystem::absolute("store_bench.log").string();
    GroupLog log(path);
    std::counting_semaphore<> ready(0);
    std::atomic<bool> stop = false;
    std::vector<std::thread> writers;
    std::counting_semaphore<> finished(0);
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        writers.emplace_back([&] {
            for (;;) {
                ready.acquire();
                if (stop) return;
                log.append();
                finished.release();
            }
        });
    }
    ready.release(static_cast<std::ptrdiff_t>(state.range(0)));
    for (auto _ : state) {
        finished.acquire();
        ready.release();
    }
    for (std::int64_t i = 0; i < state.range(0); ++i) finished.acquire();
    stop = true;
    ready.release(static_cast<std::ptrdiff_t>(state.range(0)));
    for (auto& writer : writers) writer.join();
    std::filesystem::remove(path);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(grouped_append)->Arg(1)->Arg(32)->Arg(256)->UseRealTime();

// The same writers, each message a file of its own, written, synced and renamed, as a Maildir has
// it.
void file_per_message(benchmark::State& state) {
    const auto folder = std::filesystem::absolute("store_bench.files");
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const std::string bytes(bench::append_bytes, 'x');
    std::counting_semaphore<> ready(0);
    std::counting_semaphore<> finished(0);
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> number = 0;
    std::vector<std::thread> writers;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        writers.emplace_back([&] {
            for (ready.acquire(); !stop; ready.acquire()) {
                const std::string name = (folder / std::to_string(++number)).string();
                const int file = open((name + ".new").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
                must(file >= 0 &&
                         write(file, bytes.data(), bytes.size()) == ssize_t(bytes.size()) &&
                         fsync(file) == 0 && close(file) == 0 &&
                         rename((name + ".new").c_str(), name.c_str()) == 0,
                     "a file of its own");
                finished.release();
            }
        });
    }
    ready.release(static_cast<std::ptrdiff_t>(state.range(0)));
    for (auto _ : state) {
        finished.acquire();
        ready.release();
    }
    for (std::int64_t i = 0; i < state.range(0); ++i) finished.acquire();
    stop = true;
    ready.release(static_cast<std::ptrdiff_t>(state.range(0)));
    for (auto& writer : writers) writer.join();
    std::filesystem::remove_all(folder);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(file_per_message)->Arg(1)->Arg(32)->Arg(256)->UseRealTime();

// Flags, sizes and dates of a whole mailbox, as a client asks for when it opens it.
void list(benchmark::State& state) {
    Fixture fixture;
    const auto messages = static_cast<std::uint64_t>(state.range(0));
    std::counting_semaphore<> slots(200);
    for (std::uint64_t number = 1; number <= messages; ++number) {
        slots.acquire();
        fixture.append(fixture.inboxes()[0], number, false, [&](auto) { slots.release(); });
    }
    for (unsigned i = 0; i < 200; ++i) slots.acquire();
    for (auto _ : state) {
        auto left = fixture.mail().state(fixture.inboxes()[0])->uids;
        std::uint64_t seen = 0;
        while (!left.empty()) {
            const auto rows = fixture.mail().rows(fixture.inboxes()[0], left, page_rows, false);
            must(rows.has_value() && !rows->empty(), "rows");
            seen += rows->size();
            UidSet done;
            done.add_range(1, rows->back().uid);
            left -= done;
        }
        must(seen == messages, "listing every message");
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(list)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace postern::bench

// What a client's questions cost in mailboxes of a thousand, a hundred thousand and a million
// messages, what a session on them takes in memory, and what a message takes on disk beside Maildir
// and compressed Maildir.
#include "store/blob/blob.h"
#include "store/care/stats.h"
#include "store/care/train_dictionary.h"
#include "store/kv/kv.h"
#include "store/kv/random_id.h"
#include "store/mail/mail_store.h"
#include "store/mail/mailbox_names.h"
#include "store/mail/mailbox_sets.h"
#include "tests/bench/bench_store.h"
#include "tests/bench/corpus_files.h"

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <sstream>

namespace postern::bench {
namespace {

constexpr std::size_t messages_per_batch = 300;

void commit(kv::Store& store, MailboxId id, std::vector<kv::Operation> operations) {
    kv::Batch batch;
    batch.shard = mail::mailbox_shard(id);
    batch.operation = kv::random_id();
    batch.operations = std::move(operations);
    must(store.commit_and_wait(std::move(batch)).has_value(), "filling the mailbox");
}

// Writes the rows that so many deliveries and some flag changes would have written, in large
// batches: every third message is unseen, one in fifty flagged, each with a summary of 900 octets.
void fill(BenchStore& box, Uid count) {
    UidSet existing, seen, flagged;
    std::vector<kv::Operation> operations;
    for (Uid uid = 1; uid <= count; ++uid) {
        mail::StoredMessage message;
        message.uid = uid;
        message.modseq = uid + 1;
        message.size = 4096;
        message.internal_date = message.save_date = now();
        message.blob = message.email_id = message.thread_id = kv::random_id();
        message.owner = 1;
        existing.add(uid);
        if (uid % 3 != 0) {
            message.system_flags |= static_cast<std::uint8_t>(SystemFlag::seen);
            seen.add(uid);
        }
        if (uid % 50 == 0) {
            message.system_flags |= static_cast<std::uint8_t>(SystemFlag::flagged);
            flagged.add(uid);
        }
        operations.emplace_back(kv::Put{mail::uid_key('m', uid), mail::encode(message)});
        operations.emplace_back(kv::Put{mail::uid_key('s', uid), std::string(900, 's')});
        if (uid % messages_per_batch == 0 || uid == count) {
            commit(box.engine(), box.inboxes()[0], std::exchange(operations, {}));
        }
    }
    const std::pair<mail::SetNumber, const UidSet*> sets[] = {
        {mail::existing_set, &existing},
        {mail::set_of(SystemFlag::seen), &seen},
        {mail::set_of(SystemFlag::flagged), &flagged}};
    for (const auto& [number, set] : sets) {
        for (Uid high = 0; high <= count >> 16; ++high) {
            const UidSet part = set->slice(high << 16, high << 16 | 0xffff);
            if (part.empty()) continue;
            operations.emplace_back(kv::Put{
                mail::bitmap_key(number, static_cast<std::uint16_t>(high)), part.serialize()});
        }
    }
    const auto raw = box.engine().get(mail::mailbox_shard(box.inboxes()[0]), mail::head_key);
    must(raw && *raw, "reading the head");
    auto head = *mail::decode_head(**raw);
    head.uid_next = count + 1;
    head.highest_modseq = head.journal_from = count + 1;
    head.bytes = std::uint64_t{4096} * count;
    operations.emplace_back(kv::Put{std::string(mail::head_key), mail::encode(head)});
    commit(box.engine(), box.inboxes()[0], std::move(operations));
}

std::unique_ptr<BenchStore> open_box(const std::string& name) {
    return std::make_unique<BenchStore>("store_sizes." + name, 1);
}

// One mailbox of each size for all questions.
BenchStore& mailbox_of(std::int64_t messages) {
    static std::map<std::int64_t, std::unique_ptr<BenchStore>> boxes;
    auto& box = boxes[messages];
    if (!box) {
        box = open_box(std::to_string(messages));
        fill(*box, static_cast<Uid>(messages));
        must(box->mail().status(box->inboxes()[0]).has_value(), "warming");
    }
    return *box;
}

void select(benchmark::State& state) {
    BenchStore& box = mailbox_of(state.range(0));
    for (auto _ : state) {
        auto seen = box.mail().state(box.inboxes()[0]);
        must(seen && seen->uids.size() == static_cast<std::uint64_t>(state.range(0)), "SELECT");
        benchmark::DoNotOptimize(seen);
    }
}

void status(benchmark::State& state) {
    BenchStore& box = mailbox_of(state.range(0));
    for (auto _ : state) {
        auto seen = box.mail().status(box.inboxes()[0]);
        must(seen.has_value(), "STATUS");
        benchmark::DoNotOptimize(seen);
    }
}

// Durable: with the commit.
void change_flag(benchmark::State& state) {
    BenchStore& box = mailbox_of(state.range(0));
    const auto messages = static_cast<Uid>(state.range(0));
    std::uint64_t number = 0;
    for (auto _ : state) {
        // On, and off again the next time: each is a change.
        const Uid uid = static_cast<Uid>(number / 2 * 7919 % messages) + 1;
        mail::FlagChange change;
        change.flags.set(SystemFlag::answered);
        change.mode = number++ % 2 == 0 ? FlagMode::add : FlagMode::remove;
        const auto done = mail::wait<mail::FlagResult>(
            [&](auto answer) { box.mail().change_flags(box.inboxes()[0], {uid}, change, answer); });
        must(done.has_value(), "STORE");
    }
}

void fetch_newest_50(benchmark::State& state) {
    BenchStore& box = mailbox_of(state.range(0));
    const auto last = static_cast<Uid>(state.range(0));
    UidSet newest;
    newest.add_range(last - 49, last);
    for (auto _ : state) {
        const auto rows = box.mail().rows(box.inboxes()[0], newest, 50, true);
        must(rows && rows->size() == 50 && !rows->front().summary.empty(), "FETCH");
    }
}

// What one more session keeps: its own copy of the mailbox's picture, as the IMAP service has it.
void session_memory(benchmark::State& state) {
    BenchStore& box = mailbox_of(state.range(0));
    for (auto _ : state) {
        const auto before = mallinfo2().uordblks;
        std::vector<mail::MailboxState> sessions;
        constexpr int count = 16;
        for (int i = 0; i < count; ++i) sessions.push_back(*box.mail().state(box.inboxes()[0]));
        const auto after = mallinfo2().uordblks;
        state.counters["bytes"] = static_cast<double>(after - before) / count;
    }
}

#define POSTERN_SIZES ->Arg(1'000)->Arg(100'000)->Arg(1'000'000)
BENCHMARK(select) POSTERN_SIZES->Unit(benchmark::kMicrosecond);
BENCHMARK(status) POSTERN_SIZES->Unit(benchmark::kMicrosecond);
BENCHMARK(fetch_newest_50) POSTERN_SIZES->Unit(benchmark::kMicrosecond);
BENCHMARK(change_flag) POSTERN_SIZES->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(session_memory) POSTERN_SIZES->Iterations(1);

std::uint64_t on_disk(const std::filesystem::path& folder) {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        struct stat status {};
        if (::stat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
        }
    }
    return bytes;
}

// The mail of the folders in POSTERN_BENCH_MAIL (with ':' between), else that of tests/corpus; in
// an order that is the same each time and mixes them.
std::vector<std::string> real_mail() {
    std::vector<std::string> found;
    const char* folders = std::getenv("POSTERN_BENCH_MAIL");
    std::stringstream list(folders == nullptr ? "" : folders);
    std::vector<std::string> paths;
    for (std::string folder; std::getline(list, folder, ':');) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (entry.is_regular_file()) paths.push_back(entry.path().string());
        }
    }
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) found.push_back(read_as_crlf(path));
    if (paths.empty()) found = corpus();
    std::shuffle(found.begin(), found.end(), std::mt19937(1));
    return found;
}

void append(BenchStore& box, const std::string& text) {
    mail::NewMessage message;
    message.bytes = std::make_shared<const std::string>(text);
    message.summary = std::string(600, 's');
    message.internal_date = now();
    must(mail::wait<mail::Appended>([&](auto done) {
             box.mail().append(box.inboxes()[0], std::move(message), {}, std::move(done));
         }).has_value(),
         "append");
}

// Counters are octets on disk a message of the second half; with a dictionary it is trained on the
// first.
void disk_per_message(benchmark::State& state) {
    static const auto mail = real_mail();
    const bool trained = state.range(0) != 0;
    const std::size_t half = mail.size() / 2;
    for (auto _ : state) {
        auto box = open_box("disk");
        for (std::size_t i = 0; i < half; ++i) append(*box, mail[i]);
        if (trained) must(care::train_dictionary(box->engine(), {}).has_value(), "training");
        const auto before = on_disk(box->folder());
        const auto files = std::filesystem::absolute("store_sizes.maildir");
        const auto packed = std::filesystem::absolute("store_sizes.maildir_zstd");
        for (const auto& folder : {files, packed}) {
            std::filesystem::remove_all(folder);
            std::filesystem::create_directories(folder);
        }
        std::uint64_t raw = 0;
        for (std::size_t i = half; i < mail.size(); ++i) {
            append(*box, mail[i]);
            raw += mail[i].size();
            std::ofstream(files / std::to_string(i), std::ios::binary) << mail[i];
            std::ofstream(packed / std::to_string(i), std::ios::binary) << blob::encode(mail[i]);
        }
        const auto each = [&](std::uint64_t bytes) {
            return static_cast<double>(bytes) / static_cast<double>(mail.size() - half);
        };
        state.counters["messages"] = static_cast<double>(mail.size() - half);
        state.counters["raw"] = each(raw);
        state.counters["store"] = each(on_disk(box->folder()) - before);
        state.counters["maildir"] = each(on_disk(files));
        state.counters["maildir_zstd"] = each(on_disk(packed));
        const auto stats = care::measure(box->engine(), {});
        must(stats.has_value(), "measure");
        const auto of_all = [&](std::uint64_t bytes) {
            return static_cast<double>(bytes) / static_cast<double>(mail.size());
        };
        state.counters["bodies_of_all"] = of_all(stats->body_bytes + stats->part_bytes);
        state.counters["body_pages_of_all"] = of_all(stats->space.blob_bytes);
        state.counters["row_pages_of_all"] = of_all(stats->space.row_bytes);
        state.counters["parts"] = static_cast<double>(stats->parts);
        std::filesystem::remove_all(files);
        std::filesystem::remove_all(packed);
    }
}
BENCHMARK(disk_per_message)->Arg(0)->Arg(1)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace postern::bench

// The power goes at a random write: what was synced stays, of the rest a random part, pages torn.
// What was answered before must be there exactly once, and the store sound.
//
// POSTERN_POWER_CUTS (50 by default) says how often, POSTERN_POWER_SEED where chance begins.
#include "tests/faults/disk.h"
#include "tests/store/mail/crash_work.h"
#include "tests/store/support/temp_folder.h"

#include <cerrno>
#include <mutex>
#include <thread>

namespace postern::mail {
namespace {

using faults::Disk;

constexpr unsigned cuts_per_session = 10;
constexpr unsigned max_calls_between_cuts = 60;

struct Cut {
    std::string folder;
    std::size_t lines = 0;  // what had been said before it
};

// What the workers say, in order.
struct Lines {
    std::mutex mutex;
    std::vector<std::string> said;

    void add(const std::string& line) {
        std::lock_guard lock(mutex);
        said.push_back(line);
    }
    std::size_t size() {
        std::lock_guard lock(mutex);
        return said.size();
    }
};

std::vector<Cut> work_and_cut(const std::string& folder, unsigned wanted, std::mt19937& random,
                              Lines& lines) {
    Disk& disk = Disk::instance();
    disk.watch(folder + "/live");
    OpenStore store = open_store(folder + "/live");
    std::vector<Cut> cuts;
    std::atomic<bool> stop = false;
    std::uint64_t next = disk.calls() + 1 + random() % max_calls_between_cuts;
    disk.on_call([&](std::uint64_t call) {
        if (call < next || cuts.size() == wanted) return;
        next = call + 1 + random() % max_calls_between_cuts;
        const std::size_t heard = lines.size();
        cuts.push_back({folder + "/cut" + std::to_string(cuts.size()), heard});
        disk.cut_to(cuts.back().folder, random);
        if (cuts.size() == wanted) stop = true;
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_at_work; ++t) {
        const unsigned seed = static_cast<unsigned>(random());
        threads.emplace_back([&, t, seed] {
            Worker(store, "t" + std::to_string(t) + "n", seed, [&](const std::string& line) {
                lines.add(line);
            }).run(&stop);
        });
    }
    for (std::thread& thread : threads) thread.join();
    disk.on_call(nullptr);
    store.mail.reset();
    store.engine.reset();
    disk.watch("");
    return cuts;
}

TEST(PowerCut, KeepsWhatWasAnswered) {
    const unsigned wanted = number_from_environment("POSTERN_POWER_CUTS", 50);
    const unsigned seed = number_from_environment("POSTERN_POWER_SEED", std::random_device{}());
    RecordProperty("seed", std::to_string(seed));
    std::mt19937 random(seed);
    for (unsigned done = 0; done < wanted && !HasFailure(); done += cuts_per_session) {
        test::TempFolder folder;
        Lines lines;
        for (const Cut& cut : work_and_cut(
                 folder.string(), std::min(cuts_per_session, wanted - done), random, lines)) {
            Witness witness;
            for (std::size_t i = 0; i < cut.lines; ++i) witness.hear(lines.said[i]);
            // What began after the count was taken may be there as well.
            witness.expect_more(lines.said.begin() + static_cast<std::ptrdiff_t>(cut.lines),
                                lines.said.end());
            OpenStore store = open_store(cut.folder);
            witness.check(store);
            expect_sound(*store.engine);
            if (HasFailure()) break;
        }
    }
    EXPECT_FALSE(HasFailure()) << "POSTERN_POWER_SEED=" << seed;
}

class FailingDisk : public testing::TestWithParam<int> {
protected:
    static Result<Appended> append(OpenStore& store, const std::string& name) {
        NewMessage message;
        message.bytes = std::make_shared<const std::string>(body_of(name));
        message.summary = name;
        return wait<Appended>([&](Done<Appended> done) {
            store.mail->append(store.boxes[0], message, kv::random_id(), std::move(done));
        });
    }
};

TEST_P(FailingDisk, RefusesMailGoesOnReadingAndResumes) {
    test::TempFolder folder;
    Disk& disk = Disk::instance();
    disk.watch(folder.string());
    std::vector<std::string> accepted;
    {
        OpenStore store = open_store(folder.string());
        for (int round = 0; round < 3; ++round) {
            const std::string name = "round" + std::to_string(round);
            ASSERT_TRUE(append(store, name + "good"));
            accepted.push_back(name + "good");
            disk.fail_with(GetParam());
            const auto refused = append(store, name + "bad");
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().code, Errc::unavailable);
            const auto rows = store.mail->rows(store.boxes[0],
                                               store.mail->state(store.boxes[0])->uids, 100, true);
            ASSERT_TRUE(rows) << rows.error().text;
            EXPECT_EQ(rows->size(), accepted.size());
            EXPECT_TRUE(store.mail->read(rows->front().blob, 0, 100));
            disk.fail_with(0);
        }
        ASSERT_TRUE(append(store, "last"));
        accepted.push_back("last");
        expect_sound(*store.engine);
    }
    disk.watch("");
    OpenStore store = open_store(folder.string());
    const auto rows =
        store.mail->rows(store.boxes[0], store.mail->state(store.boxes[0])->uids, 100, true);
    ASSERT_TRUE(rows);
    std::vector<std::string> found;
    for (const MessageRow& row : *rows) found.push_back(row.summary);
    EXPECT_EQ(found, accepted);
    expect_sound(*store.engine);
}
INSTANTIATE_TEST_SUITE_P(Errors, FailingDisk, testing::Values(ENOSPC, EIO), [](const auto& error) {
    return error.param == ENOSPC ? "full" : "broken";
});

}  // namespace
}  // namespace postern::mail

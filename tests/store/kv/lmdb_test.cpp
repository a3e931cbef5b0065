// What is special to LMDB: files, growth, a second process, damage, a full disk.
#include "store/kv/kv.h"
#include "store/kv/lmdb_environment.h"
#include "store/kv/random_id.h"
#include "tests/store/support/child.h"
#include "tests/store/support/small_disk.h"
#include "tests/store/support/temp_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

namespace postern::kv {
namespace {

constexpr ShardId shard{ShardKind::mailbox, 1, 0};
constexpr std::uint64_t small_map = 256 * 1024;

std::unique_ptr<Store> open(const std::string& folder, unsigned environments = 1,
                            std::uint64_t map_bytes = small_map) {
    auto store = open_lmdb_store({folder, environments, map_bytes});
    EXPECT_TRUE(store) << store.error().text;
    return store ? *std::move(store) : nullptr;
}

CommitResult put(Store& store, const std::string& key, const std::string& value,
                 const ShardId& where = shard) {
    Batch batch;
    batch.shard = where;
    batch.operation = random_id();
    batch.operations.push_back(Put{key, value});
    return store.commit_and_wait(std::move(batch));
}

std::string data_file(const std::string& folder) {
    return folder + "/0/data.mdb";
}

std::string slurp(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void overwrite(const std::string& path, std::size_t offset, std::string_view bytes) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.good());
}

TEST(Lmdb, KeepsEverythingOverReopening) {
    test::TempFolder folder;
    BlobId blob;
    OperationId operation = random_id();
    {
        const auto store = open(folder.string());
        Batch batch;
        batch.shard = shard;
        batch.operation = operation;
        batch.operations.push_back(Put{"k", "v"});
        blob = store->new_blob_id(shard);
        batch.blobs.push_back({blob, std::make_shared<std::string>("body")});
        ASSERT_TRUE(store->commit_and_wait(std::move(batch)));
    }
    const auto store = open(folder.string());
    EXPECT_EQ(**store->get(shard, "k"), "v");
    EXPECT_EQ(*store->read_blob(blob, 0, 4), "body");
    EXPECT_FALSE(*store->was_committed(shard, operation)) << "only its own process is in doubt";
    EXPECT_GT(store->new_blob_id(shard).bytes, blob.bytes) << "new blobs go to the table's end";
}

TEST(Lmdb, AnExistingStoreKeepsItsNumberOfEnvironments) {
    test::TempFolder folder;
    {
        const auto store = open(folder.string(), 3);
        for (std::uint64_t n = 0; n < 20; ++n) put(*store, "k", "v", {ShardKind::mailbox, n, 0});
    }
    const auto store = open(folder.string(), 1);
    for (std::uint64_t n = 0; n < 20; ++n) {
        EXPECT_TRUE(store->get({ShardKind::mailbox, n, 0}, "k")->has_value());
    }
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "3"));
    EXPECT_EQ(open_lmdb_store({folder.string() + "x", 0}).error().code, Errc::invalid);
    EXPECT_EQ(open_lmdb_store({folder.string() + "x", 65}).error().code, Errc::invalid);
}

TEST(Lmdb, GrowsByItself) {
    test::TempFolder folder;
    const auto store = open(folder.string());
    const std::string value(60'000, 'v');
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(put(*store, "k" + std::to_string(i), value)) << i;
    EXPECT_GT(std::filesystem::file_size(data_file(folder.string())), 100 * value.size());
    EXPECT_EQ((*store->get(shard, "k0"))->size(), value.size());
}

TEST(Lmdb, GrowsWhileOthersRead) {
    test::TempFolder folder;
    const auto store = open(folder.string());
    ASSERT_TRUE(put(*store, "a", "1"));
    std::atomic<bool> stop = false;
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!stop) ASSERT_EQ(store->get(shard, "a")->value_or(""), "1");
        });
    }
    const std::string value(60'000, 'v');
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(put(*store, "k" + std::to_string(i), value));
    stop = true;
    for (std::thread& reader : readers) reader.join();
}

TEST(Lmdb, IsOpenedOnceInAProcess) {
    test::TempFolder folder;
    auto store = open(folder.string());
    const auto again = open_lmdb_store({folder.string(), 1, small_map});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::unavailable);
    EXPECT_TRUE(put(*store, "k", "v")) << "the refused opening harmed the first";
    store.reset();
    EXPECT_NE(open(folder.string()), nullptr);
}

TEST(Lmdb, RefusesAFolderThatCannotBeMade) {
    const auto store = open_lmdb_store({"/proc/no-such-place", 1, small_map});
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::unavailable);
    EXPECT_THAT(store.error().text, testing::HasSubstr("/proc/no-such-place"));
}

// A store whose files say that they have another format.
Result<std::unique_ptr<Store>> open_with_format(const std::string& folder, char format) {
    open(folder);
    const std::string bytes = slurp(data_file(folder));
    std::string now("format\0\0\0", 9);
    now += static_cast<char>(lmdb_format_version);
    std::size_t found = 0;
    for (std::size_t at = bytes.find(now); at != std::string::npos; at = bytes.find(now, at + 1)) {
        overwrite(data_file(folder), at + now.size() - 1, std::string(1, format));
        ++found;
    }
    EXPECT_GT(found, 0u);
    return open_lmdb_store({folder, 1, small_map});
}

TEST(Lmdb, RefusesAFormatFromTheFuture) {
    test::TempFolder folder;
    const auto store = open_with_format(folder.string(), lmdb_format_version + 1);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::unsupported);
    EXPECT_THAT(store.error().text, testing::HasSubstr("install the version that wrote it again"));
}

TEST(Lmdb, RefusesAFormatFromThePast) {
    test::TempFolder folder;
    const auto store = open_with_format(folder.string(), oldest_lmdb_format_version - 1);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::unsupported);
    EXPECT_THAT(store.error().text, testing::HasSubstr("the program that wrote it"));
}

TEST(Lmdb, RefusesAFileThatIsNoDatabase) {
    test::TempFolder folder;
    std::filesystem::create_directories(folder.path() / "0");
    std::ofstream(data_file(folder.string())) << std::string(100'000, 'x');
    const auto store = open_lmdb_store({folder.string(), 1, small_map});
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::corrupt);
}

TEST(Lmdb, NoticesAChangedRow) {
    test::TempFolder folder;
    {
        const auto store = open(folder.string());
        put(*store, "good", "unharmed");
        put(*store, "k", "a value that can be found in the file");
    }
    const std::string bytes = slurp(data_file(folder.string()));
    for (std::size_t at = bytes.find("a value that"); at != std::string::npos;
         at = bytes.find("a value that", at + 1)) {
        overwrite(data_file(folder.string()), at, "A");
    }
    const auto store = open(folder.string());
    EXPECT_EQ(store->get(shard, "k").error().code, Errc::corrupt);
    EXPECT_EQ(store->scan(shard, "", "", 10).error().code, Errc::corrupt);
    EXPECT_EQ(**store->get(shard, "good"), "unharmed");
    EXPECT_TRUE(put(*store, "k", "mended"));
    EXPECT_EQ(**store->get(shard, "k"), "mended");
}

// Counts "n" up under a precondition, growing the map on the way.
void count_up(Store& store, int times) {
    for (int i = 0; i < times;) {
        const auto old = store.get(shard, "n");
        ASSERT_TRUE(old) << old.error().text;
        const int n = std::stoi(old->value_or("0"));
        Batch batch;
        batch.shard = shard;
        batch.operation = random_id();
        batch.preconditions = {{"n", *old}};
        batch.operations.push_back(Put{"n", std::to_string(n + 1)});
        batch.operations.push_back(Put{"k" + std::to_string(n), std::string(20'000, 'v')});
        const CommitResult result = store.commit_and_wait(std::move(batch));
        ASSERT_TRUE(result) << result.error().text;
        if (*result == Outcome::committed) ++i;
    }
}

TEST(LmdbProcess, CountsUp) {
    if (test::child_argument() == nullptr) GTEST_SKIP() << "runs in a child";
    const auto store = open(test::child_argument());
    count_up(*store, 40);
}

TEST(Lmdb, IsSharedByProcesses) {
    test::TempFolder folder;
    const auto store = open(folder.string());
    test::Child one("LmdbProcess.CountsUp", folder.string());
    test::Child two("LmdbProcess.CountsUp", folder.string());
    count_up(*store, 40);
    EXPECT_EQ(one.wait(), 0);
    EXPECT_EQ(two.wait(), 0);
    EXPECT_EQ(store->get(shard, "n")->value_or(""), "120");
    for (int i = 0; i < 120; ++i) EXPECT_TRUE(*store->get(shard, "k" + std::to_string(i))) << i;
}

TEST(LmdbProcess, WritesUntilKilled) {
    if (test::child_argument() == nullptr) GTEST_SKIP() << "runs in a child";
    const auto store = open(test::child_argument());
    for (int i = 0;; ++i) {
        ASSERT_TRUE(put(*store, "n", std::to_string(i)));
        const std::string line = std::to_string(i) + "\n";
        ASSERT_EQ(::write(STDOUT_FILENO, line.data(), line.size()), ssize_t(line.size()));
    }
}

TEST(Lmdb, GoesOnAfterAnotherProcessWasKilled) {
    test::TempFolder folder;
    const auto store = open(folder.string());
    for (int round = 0; round < 5; ++round) {
        test::Child child("LmdbProcess.WritesUntilKilled", folder.string());
        std::string line;
        int last = -1;
        while (last < 20 && child.read_line(line)) {
            if (std::isdigit(static_cast<unsigned char>(line[0])) != 0) last = std::stoi(line);
        }
        child.kill();
        child.wait();
        while (child.read_line(line)) last = std::max(last, std::stoi(line));
        EXPECT_GE(std::stoi(**store->get(shard, "n")), last) << "an acknowledged write is lost";
        EXPECT_TRUE(put(*store, "mine", std::to_string(round)));
    }
}

TEST(Lmdb, AFullDiskFailsWritesAndNothingElse) {
    test::TempFolder folder;
    const auto store = open(folder.string(), 1, std::uint64_t{64} << 20);
    ASSERT_TRUE(put(*store, "before", "1"));
    int acknowledged = 0;
    {
        test::SmallDisk disk(1024 * 1024);
        std::vector<std::future<CommitResult>> results;
        for (int i = 0; i < 60; ++i) {
            auto promise = std::make_shared<std::promise<CommitResult>>();
            results.push_back(promise->get_future());
            Batch batch;
            batch.shard = shard;
            batch.operations.push_back(Put{"k" + std::to_string(i), std::string(60'000, 'v')});
            store->commit(std::move(batch),
                          [promise](CommitResult result) { promise->set_value(result); });
        }
        for (int i = 0; i < 60; ++i) {
            const CommitResult result = results[static_cast<std::size_t>(i)].get();
            const bool there = (*store->get(shard, "k" + std::to_string(i))).has_value();
            EXPECT_EQ(there, result.has_value()) << i;
            acknowledged += result ? 1 : 0;
            if (!result) {
                EXPECT_EQ(result.error().code, Errc::unavailable);
            }
        }
        EXPECT_LT(acknowledged, 60);
        EXPECT_EQ(**store->get(shard, "before"), "1");
    }
    EXPECT_TRUE(put(*store, "after", std::string(60'000, 'v'))) << "does not resume";
    EXPECT_EQ((*store->get(shard, "after"))->size(), 60'000u);
}

}  // namespace
}  // namespace postern::kv

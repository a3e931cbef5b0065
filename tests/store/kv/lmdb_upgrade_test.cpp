// A store of the format before: what its upgrade changes, what it leaves to go back to, and that it
// may be cut short.
#include "store/kv/lmdb_upgrade.h"

#include "store/kv/kv.h"
#include "store/kv/upgrade_copy.h"
#include "tests/store/support/child.h"
#include "tests/store/support/small_disk.h"
#include "tests/store/support/temp_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>

namespace postern::kv {
namespace {

constexpr std::uint64_t small_map = 256 * 1024;
constexpr unsigned environments = 3;
constexpr int shards = 24;
constexpr std::uint32_t before = 2;
static_assert(before + 1 == lmdb_format_version);

using OnTables = std::function<int(MDB_txn*, const LmdbTables&, MDB_dbi operations)>;

ShardId shard(int number) {
    return {ShardKind::mailbox, static_cast<std::uint64_t>(number) + 1, 0};
}

// Runs body on each environment, which nobody else has open.
void on_tables(const std::string& folder, const OnTables& body) {
    for (unsigned index = 0; index < environments; ++index) {
        auto environment = LmdbEnvironment::open(folder + "/" + std::to_string(index), index,
                                                 environments, small_map);
        ASSERT_TRUE(environment) << environment.error().text;
        const int code = (*environment)->write(0, [&](MDB_txn* transaction) {
            MDB_dbi operations = 0;
            const int opened = mdb_dbi_open(transaction, "operations", MDB_CREATE, &operations);
            return opened != 0 ? opened : body(transaction, (*environment)->tables(), operations);
        });
        ASSERT_EQ(code, 0);
    }
}

int put_pair(MDB_txn* transaction, MDB_dbi table, std::string key, std::string value) {
    MDB_val name{key.size(), key.data()};
    MDB_val bytes{value.size(), value.data()};
    return mdb_put(transaction, table, &name, &bytes, 0);
}

void fill(Store& store) {
    for (int i = 0; i < shards; ++i) {
        Batch batch;
        batch.shard = shard(i);
        batch.operations.push_back(Put{"key", "value " + std::to_string(i)});
        ASSERT_TRUE(store.commit_and_wait(std::move(batch)));
    }
}

// As a program of the format before left it.
void make_old_store(const std::string& folder) {
    {
        const auto store = open_lmdb_store({folder, environments, small_map});
        ASSERT_TRUE(store);
        fill(**store);
    }
    on_tables(folder, [](MDB_txn* transaction, const LmdbTables& tables, MDB_dbi old) {
        for (int i = 0; i < 500; ++i) {
            put_pair(transaction, old, "operation " + std::to_string(i), "0123456789abcdef");
        }
        return put_pair(transaction, tables.meta, "format", std::string("\0\0\0\2", 4));
    });
}

void expect_format(const std::string& folder, std::uint32_t format, std::size_t operation_ids) {
    on_tables(folder, [&](MDB_txn* transaction, const LmdbTables& tables, MDB_dbi old) {
        MDB_stat stat{};
        EXPECT_EQ(mdb_stat(transaction, old, &stat), 0);
        EXPECT_EQ(stat.ms_entries, operation_ids);
        std::string name = "format";
        MDB_val key{name.size(), name.data()};
        MDB_val value{};
        EXPECT_EQ(mdb_get(transaction, tables.meta, &key, &value), 0);
        EXPECT_EQ(value.mv_size, 4u);
        EXPECT_EQ(static_cast<const char*>(value.mv_data)[3], static_cast<char>(format));
        return 0;
    });
}

// Opening, which upgrades, shows what was put.
void expect_content(const std::string& folder) {
    const auto store = open_lmdb_store({folder, environments, small_map});
    ASSERT_TRUE(store) << store.error().text;
    for (int i = 0; i < shards; ++i) {
        const auto value = (*store)->get(shard(i), "key");
        ASSERT_TRUE(value && *value) << i;
        EXPECT_EQ(**value, "value " + std::to_string(i));
    }
}

struct Place {
    test::TempFolder folder;
    std::string store = (folder.path() / "store").string();
    std::string snapshot = snapshot_folder(store, before);
};

std::set<std::string> names_in(const Place& place) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(place.folder.path())) {
        names.insert(entry.path().filename().string());
    }
    return names;
}

TEST(LmdbUpgrade, LosesOperationIdsAndNothingElse) {
    Place place;
    make_old_store(place.store);
    expect_content(place.store);
    expect_format(place.store, lmdb_format_version, 0);
}

TEST(LmdbUpgrade, LeavesTheStoreAsItWasToGoBackTo) {
    Place place;
    make_old_store(place.store);
    expect_content(place.store);
    EXPECT_EQ(place.snapshot, place.store + "-format-2");
    EXPECT_EQ(copy_before_upgrade(place.store), place.snapshot);
    EXPECT_EQ(snapshot_folder(place.store + "/", before), place.snapshot);
    expect_format(place.snapshot, before, 500);
    std::filesystem::remove_all(place.store);
    std::filesystem::rename(place.snapshot, place.store);
    expect_content(place.store);
    expect_format(place.snapshot, before, 500);
}

TEST(LmdbUpgrade, AStoreOfThisFormatIsNotCopied) {
    Place place;
    fill(**open_lmdb_store({place.store, environments, small_map}));
    expect_content(place.store);
    for (const auto& entry : std::filesystem::directory_iterator(place.folder.path())) {
        EXPECT_EQ(entry.path(), place.store);
    }
    EXPECT_EQ(copy_before_upgrade(place.store), "");
}

TEST(LmdbUpgrade, GoesOnWhereItWasCutShortAndKeepsTheFirstCopy) {
    Place place;
    make_old_store(place.store);
    std::filesystem::copy(place.store, place.snapshot, std::filesystem::copy_options::recursive);
    on_tables(place.store, [done = 0](MDB_txn* transaction, const LmdbTables& tables,
                                      MDB_dbi old) mutable {
        if (done++ > 0) return 0;
        const int dropped = mdb_drop(transaction, old, 0);
        if (dropped != 0) return dropped;
        return put_pair(transaction, tables.meta, "format", std::string("\0\0\0\3", 4));
    });
    expect_content(place.store);
    expect_format(place.store, lmdb_format_version, 0);
    expect_format(place.snapshot, before, 500);
}

TEST(LmdbUpgrade, WithoutRoomForTheCopyNothingIsChanged) {
    Place place;
    make_old_store(place.store);
    {
        test::SmallDisk disk(4096);
        const auto store = open_lmdb_store({place.store, environments, small_map});
        ASSERT_FALSE(store);
        EXPECT_EQ(store.error().code, Errc::unavailable);
        EXPECT_THAT(store.error().text, testing::HasSubstr(place.snapshot));
        EXPECT_THAT(store.error().text, testing::HasSubstr("make an empty folder of this name"));
    }
    for (const auto& entry : std::filesystem::directory_iterator(place.folder.path())) {
        EXPECT_EQ(entry.path(), place.store) << "left behind";
    }
    expect_format(place.store, before, 500);
    std::filesystem::create_directory(place.snapshot);
    expect_content(place.store);
    EXPECT_TRUE(std::filesystem::is_empty(place.snapshot));
}

TEST(LmdbUpgrade, WhatAKilledProcessLeftGoesAndNobodyElseReadsTheCopy) {
    Place place;
    make_old_store(place.store);
    const std::string left = place.snapshot + ".partial-999999999";  // no process's number
    std::filesystem::create_directories(left + "/0");
    std::ofstream(left + "/0/data.mdb") << "half of it";
    expect_content(place.store);
    EXPECT_EQ(names_in(place), (std::set<std::string>{"store", "store-format-2"}));
    EXPECT_EQ(std::filesystem::status(place.snapshot).permissions(),
              std::filesystem::perms::owner_all);
}

TEST(LmdbUpgrade, OpensInAChildThatMayBeKilled) {
    if (test::child_argument() == nullptr) GTEST_SKIP() << "for the test below";
    const auto store = open_lmdb_store({test::child_argument(), environments, small_map});
    ASSERT_TRUE(store);
}

TEST(LmdbUpgrade, MayBeKilledAnywhere) {
    constexpr int rounds = 24;
    constexpr auto step = std::chrono::milliseconds(4);
    Place place;
    for (int round = 0; round < rounds; ++round) {
        std::filesystem::remove_all(place.folder.path());
        make_old_store(place.store);
        {
            test::Child child("LmdbUpgrade.OpensInAChildThatMayBeKilled", place.store);
            std::this_thread::sleep_for(step * round);
            child.kill();
        }
        expect_content(place.store);
        expect_format(place.store, lmdb_format_version, 0);
        expect_format(place.snapshot, before, 500);
        EXPECT_EQ(names_in(place), (std::set<std::string>{"store", "store-format-2"}));
    }
}

}  // namespace
}  // namespace postern::kv

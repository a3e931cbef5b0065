// One LMDB environment: its maps, transactions and readers. The only file that opens LMDB.
//
// Thread rule: `read` from any thread; `write` from one thread of the process (others in other
// processes).
#pragma once

#include "protocols/base/result.h"

#include <lmdb.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace postern::kv {

// 3: no operation ids in the files; bodies with dictionaries and with parts. Opening a store of
// format 2 makes it one of format 3 (lmdb_upgrade.h).
inline constexpr std::uint32_t lmdb_format_version = 3;
inline constexpr std::uint32_t oldest_lmdb_format_version = 2;
inline constexpr unsigned max_lmdb_readers = 4096;

// LMDB does not write to what it is given.
inline MDB_val value_of(std::string_view bytes) {
    return MDB_val{bytes.size(), const_cast<char*>(bytes.data())};
}

// Named databases of every environment.
struct LmdbTables {
    MDB_dbi meta = 0;   // "format", "environments", "index": u32 big endian
    MDB_dbi rows = 0;   // shard key + key -> value + 4 bytes checksum
    MDB_dbi blobs = 0;  // blob key -> framed bytes
};

Error lmdb_error(int code, std::string_view doing);

class LmdbEnvironment {
public:
    // Makes folder and files when missing. `index` of `environments` are written at creation; an
    // existing environment's own count is then in environments(). One of an older format that is
    // still known stays as it is until upgrade(). Errors: unavailable, unsupported, corrupt.
    static Result<std::unique_ptr<LmdbEnvironment>> open(const std::string& folder, unsigned index,
                                                         unsigned environments,
                                                         std::uint64_t map_bytes);
    ~LmdbEnvironment();
    LmdbEnvironment(const LmdbEnvironment&) = delete;
    LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;

    // Runs body(transaction) -> LMDB code on one consistent view, and returns its code. What LMDB
    // points to is valid within the body alone.
    template <class Body>
    int read(Body&& body);

    // Runs body in one transaction and makes it durable; 0 when it is. The map grows when it is
    // full, and the body then runs again from the start. A body that fails changes nothing.
    // `expected_bytes`, about what the body will write, lets the map grow beforehand.
    int write(std::size_t expected_bytes, const std::function<int(MDB_txn*)>& body);

    void drop_stale_readers();

    // One consistent view, without free pages, as FOLDER/data.mdb; LMDB code. Not durable yet.
    int copy_to(const std::string& folder) const;
    // To lmdb_format_version, in one transaction; LMDB code. Nothing when it has that.
    int upgrade();
    std::uint32_t format() const { return format_; }
    std::uint64_t used_bytes() const;  // pages ever used: at least what a copy takes

    const LmdbTables& tables() const { return tables_; }
    unsigned environments() const { return environments_; }

private:
    LmdbEnvironment() = default;
    Result<void> start(const std::string& folder, unsigned index, unsigned environments,
                       std::uint64_t map_bytes);
    Result<void> open_tables(unsigned index, unsigned environments);
    int write_once(const std::function<int(MDB_txn*)>& body);
    int begin_read(MDB_txn** transaction);
    void end_read(MDB_txn* transaction);
    int change_map(std::uint64_t bytes);
    int grow(std::uint64_t at_least);
    int make_room(std::size_t bytes);

    std::string folder_;  // as registered; empty: not registered
    MDB_env* env_ = nullptr;
    LmdbTables tables_;
    unsigned environments_ = 0;
    std::uint32_t format_ = lmdb_format_version;
    // The map may only move while no transaction of this process is open.
    std::shared_mutex map_;
    std::mutex moving_;
    std::atomic<bool> map_moves_{false};
    std::mutex idle_mutex_;
    std::vector<MDB_txn*> idle_;  // reset read transactions, each with its reader slot
};

template <class Body>
int LmdbEnvironment::read(Body&& body) {
    constexpr int max_attempts = 16;
    int code = 0;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        if (map_moves_.load()) std::lock_guard wait(moving_);
        {
            std::shared_lock lock(map_);
            MDB_txn* transaction = nullptr;
            code = begin_read(&transaction);
            if (code == 0) {
                code = body(transaction);
                end_read(transaction);
                return code;
            }
        }
        if (code == MDB_MAP_RESIZED) {
            change_map(0);
        } else if (code == MDB_READERS_FULL) {
            drop_stale_readers();
        } else {
            return code;
        }
    }
    return code;
}

}  // namespace postern::kv

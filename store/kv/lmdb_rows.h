// Rows and blobs within one LMDB transaction. All answer LMDB codes; 0 is success.
#pragma once

#include "store/kv/kv.h"
#include "store/kv/lmdb_environment.h"
#include "store/kv/shard_key.h"

#include <lmdb.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::kv {

// The key of a row in the rows table; views of it stay valid until the next call.
class RowKey {
public:
    explicit RowKey(const ShardId& shard);
    MDB_val with(std::string_view key);

private:
    // Where a scan goes on is one byte longer than a key.
    static constexpr std::size_t max_row_key_bytes = max_key_bytes + 1;

    std::array<char, shard_key_bytes + max_row_key_bytes> bytes_{};
};

// `value` becomes nullopt when there is no such row. MDB_CORRUPTED when its checksum is wrong.
int get_row(MDB_txn* transaction, const LmdbTables& tables, MDB_val key,
            std::optional<std::string_view>& value);

int scan_rows(MDB_txn* transaction, const LmdbTables& tables, const ShardId& shard,
              std::string_view from, std::string_view to, std::size_t limit, Page& page);

// Checks and applies a whole batch. Of the erased blobs only those of environment `index` are
// erased. On conflict nothing is changed and the code is 0.
int apply_batch(MDB_txn* transaction, const LmdbTables& tables, const Batch& batch, unsigned index,
                unsigned environments, Outcome& outcome);

int read_blob_range(MDB_txn* transaction, const LmdbTables& tables, const BlobId& id,
                    std::uint64_t offset, std::uint64_t length, std::string& bytes);

int list_shards(MDB_txn* transaction, const LmdbTables& tables, const ShardId& after,
                std::size_t limit, std::vector<ShardId>& shards);
// `from` is a key of the blobs table, empty for the first; page.next becomes one.
int list_blobs(MDB_txn* transaction, const LmdbTables& tables, std::string_view from,
               std::size_t limit, BlobPage& page);
// Adds this environment's share; free_bytes is the caller's to work out.
int measure_space(MDB_txn* transaction, const LmdbTables& tables, Space& space);

// The blob sequence after the newest blob's.
int next_blob_sequence(MDB_txn* transaction, const LmdbTables& tables, std::uint64_t& sequence);

}  // namespace postern::kv

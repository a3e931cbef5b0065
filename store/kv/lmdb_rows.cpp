#include "store/kv/lmdb_rows.h"

#include "protocols/base/hash.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <cstring>

namespace postern::kv {

namespace {

constexpr std::size_t checksum_bytes = 4;

std::string_view view(const MDB_val& value) {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// Covers the key too: a row that was read from another row's place is as wrong as a changed one.
std::uint32_t checksum(std::string_view key, std::string_view value) {
    return static_cast<std::uint32_t>(hash64(value, hash64(key)));
}

int open_row(std::string_view key, std::string_view stored, std::string_view& value) {
    if (stored.size() <= checksum_bytes) return MDB_CORRUPTED;
    value = stored.substr(0, stored.size() - checksum_bytes);
    std::uint32_t kept = 0;
    std::memcpy(&kept, stored.data() + value.size(), checksum_bytes);
    return kept == checksum(key, value) ? 0 : MDB_CORRUPTED;
}

int put_row(MDB_txn* transaction, MDB_dbi table, MDB_val key, std::string_view value) {
    const std::uint32_t sum = checksum(view(key), value);
    MDB_val stored{value.size() + checksum_bytes, nullptr};
    const int code = mdb_put(transaction, table, &key, &stored, MDB_RESERVE);
    if (code != 0) return code;
    auto* bytes = static_cast<char*>(stored.mv_data);
    std::memcpy(bytes, value.data(), value.size());
    std::memcpy(bytes + value.size(), &sum, checksum_bytes);
    return 0;
}

int erase(MDB_txn* transaction, MDB_dbi table, MDB_val key) {
    const int code = mdb_del(transaction, table, &key, nullptr);
    return code == MDB_NOTFOUND ? 0 : code;
}

// Begins with the sequence, so that new blobs go to the table's end.
std::string blob_key(const BlobId& id) {
    const auto* bytes = reinterpret_cast<const char*>(id.bytes.data());
    std::string key(bytes + 2, id.bytes.size() - 2);
    return key.append(bytes, 2);
}

struct Cursor {
    MDB_cursor* handle = nullptr;
    ~Cursor() {
        if (handle != nullptr) mdb_cursor_close(handle);
    }
};

int preconditions_hold(MDB_txn* transaction, const LmdbTables& tables, const Batch& batch,
                       RowKey& key, bool& hold) {
    hold = true;
    for (const Precondition& precondition : batch.preconditions) {
        std::optional<std::string_view> value;
        const int code = get_row(transaction, tables, key.with(precondition.key), value);
        if (code != 0) return code;
        if (value.has_value() != precondition.equals.has_value() ||
            (value && *value != *precondition.equals)) {
            hold = false;
            return 0;
        }
    }
    return 0;
}

int apply_blobs(MDB_txn* transaction, const LmdbTables& tables, const Batch& batch, unsigned index,
                unsigned environments) {
    for (const BlobPut& blob : batch.blobs) {
        const std::string id = blob_key(blob.id);
        MDB_val key = value_of(id);
        MDB_val value = value_of(*blob.bytes);
        const int code = mdb_put(transaction, tables.blobs, &key, &value, MDB_NOOVERWRITE);
        if (code != 0 && code != MDB_KEYEXIST) return code;
    }
    for (const BlobId& id : batch.erased_blobs) {
        if (shard_hash(id) % environments != index) continue;
        const int code = erase(transaction, tables.blobs, value_of(blob_key(id)));
        if (code != 0) return code;
    }
    return 0;
}

}  // namespace

RowKey::RowKey(const ShardId& shard) {
    const std::string prefix = shard_key(shard);
    std::copy(prefix.begin(), prefix.end(), bytes_.begin());
}

MDB_val RowKey::with(std::string_view key) {
    const auto end = std::copy_n(key.begin(), std::min(key.size(), max_row_key_bytes),
                                 bytes_.begin() + shard_key_bytes);
    return {static_cast<std::size_t>(end - bytes_.begin()), bytes_.data()};
}

int get_row(MDB_txn* transaction, const LmdbTables& tables, MDB_val key,
            std::optional<std::string_view>& value) {
    MDB_val stored{};
    const int code = mdb_get(transaction, tables.rows, &key, &stored);
    value.reset();
    if (code == MDB_NOTFOUND) return 0;
    if (code != 0) return code;
    return open_row(view(key), view(stored), value.emplace());
}

int scan_rows(MDB_txn* transaction, const LmdbTables& tables, const ShardId& shard,
              std::string_view from, std::string_view to, std::size_t limit, Page& page) {
    Cursor cursor;
    int code = mdb_cursor_open(transaction, tables.rows, &cursor.handle);
    if (code != 0) return code;
    RowKey start(shard);
    MDB_val key = start.with(from);
    const std::string prefix = shard_key(shard);
    MDB_val stored{};
    std::size_t bytes = 0;
    code = mdb_cursor_get(cursor.handle, &key, &stored, MDB_SET_RANGE);
    for (; code == 0; code = mdb_cursor_get(cursor.handle, &key, &stored, MDB_NEXT)) {
        if (view(key).substr(0, shard_key_bytes) != prefix) return 0;
        const std::string_view row_key = view(key).substr(shard_key_bytes);
        if (!to.empty() && row_key >= to) return 0;
        std::string_view value;
        const bool damaged = open_row(view(key), view(stored), value) != 0;
        bytes += row_key.size() + value.size();
        const std::size_t taken = page.rows.size() + page.damaged.size();
        if (taken == limit || (taken > 0 && bytes > max_page_bytes)) {
            page.more = true;
            return 0;
        }
        if (damaged) {
            page.damaged.emplace_back(row_key);
        } else {
            page.rows.push_back({std::string(row_key), std::string(value)});
        }
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

int apply_batch(MDB_txn* transaction, const LmdbTables& tables, const Batch& batch, unsigned index,
                unsigned environments, Outcome& outcome) {
    RowKey key(batch.shard);
    bool hold = false;
    int code = preconditions_hold(transaction, tables, batch, key, hold);
    outcome = hold ? Outcome::committed : Outcome::conflict;
    if (code != 0 || !hold) return code;
    for (const Operation& operation : batch.operations) {
        if (const auto* put = std::get_if<Put>(&operation)) {
            code = put_row(transaction, tables.rows, key.with(put->key), put->value);
        } else {
            code = erase(transaction, tables.rows, key.with(std::get<Erase>(operation).key));
        }
        if (code != 0) return code;
    }
    return apply_blobs(transaction, tables, batch, index, environments);
}

int read_blob_range(MDB_txn* transaction, const LmdbTables& tables, const BlobId& id,
                    std::uint64_t offset, std::uint64_t length, std::string& bytes) {
    const std::string key_bytes = blob_key(id);
    MDB_val key = value_of(key_bytes);
    MDB_val value{};
    const int code = mdb_get(transaction, tables.blobs, &key, &value);
    if (code != 0) return code;
    if (offset < value.mv_size) bytes.assign(view(value).substr(offset, length));
    return 0;
}

int list_shards(MDB_txn* transaction, const LmdbTables& tables, const ShardId& after,
                std::size_t limit, std::vector<ShardId>& shards) {
    Cursor cursor;
    int code = mdb_cursor_open(transaction, tables.rows, &cursor.handle);
    std::string from = shard_key(after) + std::string(max_key_bytes, '\xff');
    while (code == 0 && shards.size() < limit) {
        MDB_val key = value_of(from);
        MDB_val value{};
        code = mdb_cursor_get(cursor.handle, &key, &value, MDB_SET_RANGE);
        if (code != 0) break;
        RowReader reader(view(key));
        ShardId shard;
        shard.kind = static_cast<ShardKind>(reader.u8());
        shard.number = reader.u64();
        shard.partition = reader.u32();
        if (!reader.ok()) return MDB_CORRUPTED;
        shards.push_back(shard);
        from = shard_key(shard) + std::string(max_key_bytes, '\xff');
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

int list_blobs(MDB_txn* transaction, const LmdbTables& tables, std::string_view from,
               std::size_t limit, BlobPage& page) {
    Cursor cursor;
    int code = mdb_cursor_open(transaction, tables.blobs, &cursor.handle);
    if (code != 0) return code;
    MDB_val key = value_of(from);
    MDB_val value{};
    code = mdb_cursor_get(cursor.handle, &key, &value, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    for (; code == 0; code = mdb_cursor_get(cursor.handle, &key, &value, MDB_NEXT)) {
        StoredBlob blob;
        if (view(key).size() != blob.id.bytes.size()) return MDB_CORRUPTED;
        if (page.blobs.size() == limit) {
            page.next = view(key);
            return 0;
        }
        std::memcpy(blob.id.bytes.data(), view(key).data() + blob.id.bytes.size() - 2, 2);
        std::memcpy(blob.id.bytes.data() + 2, view(key).data(), blob.id.bytes.size() - 2);
        blob.bytes = value.mv_size;
        page.blobs.push_back(blob);
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

int measure_space(MDB_txn* transaction, const LmdbTables& tables, Space& space) {
    MDB_stat stat{};
    for (const MDB_dbi table : {tables.rows, tables.meta, tables.blobs}) {
        const int code = mdb_stat(transaction, table, &stat);
        if (code != 0) return code;
        const std::uint64_t pages =
            stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
        (table == tables.blobs ? space.blob_bytes : space.row_bytes) += pages * stat.ms_psize;
    }
    MDB_envinfo info{};
    const int code = mdb_env_info(mdb_txn_env(transaction), &info);
    const std::uint64_t pages = info.me_last_pgno + 1;
    space.file_bytes += pages * stat.ms_psize;
    return code;
}

int next_blob_sequence(MDB_txn* transaction, const LmdbTables& tables, std::uint64_t& sequence) {
    Cursor cursor;
    int code = mdb_cursor_open(transaction, tables.blobs, &cursor.handle);
    if (code != 0) return code;
    MDB_val key{};
    MDB_val value{};
    code = mdb_cursor_get(cursor.handle, &key, &value, MDB_LAST);
    sequence = 1;
    if (code == MDB_NOTFOUND) return 0;
    if (code != 0) return code;
    RowReader reader(view(key));
    sequence = (std::uint64_t{reader.u16()} << 32 | reader.u32()) + 1;
    return reader.ok() ? 0 : MDB_CORRUPTED;
}

}  // namespace postern::kv

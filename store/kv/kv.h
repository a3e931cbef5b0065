// The store's seam: an ordered key-value map in shards, changed by one batch on one shard at a
// time.
//
// Engines: memory, LMDB, and `faulty` which wraps another and fails on purpose. One contract suite
// (tests/contract) runs on all. Nothing above the seam may rely on more than is said here, so that
// an engine over a distributed object store (one shard = one object) fits under it later.
//
// Thread rule: every function may be called from any thread. No call holds a read transaction after
// it returned.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postern::kv {

inline constexpr std::size_t max_key_bytes = 400;
inline constexpr std::size_t max_value_bytes = 64 * 1024;
inline constexpr std::size_t max_batch_operations = 1000;
inline constexpr std::size_t max_batch_bytes = 1024 * 1024;  // keys and values; blobs not counted
inline constexpr std::size_t max_page_rows = 1000;
inline constexpr std::size_t max_page_bytes = 4 * 1024 * 1024;  // a page ends early, after >= 1 row
inline constexpr std::size_t max_blob_bytes = 256 * 1024 * 1024;
inline constexpr std::size_t min_operations_remembered = 1000;  // see was_committed

enum class ShardKind : std::uint8_t {
    directory = 1,     // domains, users, aliases
    account = 2,       // one account's list of mailboxes
    mailbox = 3,       // one mailbox
    spool = 4,         // one partition of accepted, not yet delivered mail
    pool = 5,          // one quota pool
    blob_links = 6,    // who links a blob
    learn_log = 7,     // the filter's learn log
    intents = 8,       // unfinished work that spans shards, replayed at start
    dictionaries = 9,  // what small bodies are compressed with
    parts = 10,        // large parts that several bodies share
};

struct ShardId {
    ShardKind kind = ShardKind::directory;
    std::uint64_t number = 0;
    std::uint32_t partition = 0;  // an engine with a largest shard splits by it; LMDB uses 0 alone
    auto operator<=>(const ShardId&) const = default;
};

// The batch is applied only when every precondition holds at the moment of commit.
struct Precondition {
    std::string key;                    // 1 to max_key_bytes, as in Put and Erase
    std::optional<std::string> equals;  // nullopt: the key must be absent
};

struct Put {
    std::string key;
    std::string value;  // 1 byte to max_value_bytes; never empty
};
struct Erase {
    std::string key;  // erasing an absent key is not an error
};
using Operation = std::variant<Put, Erase>;

// A blob that the batch links: readable once the batch is committed. Putting an id that exists
// already keeps the old bytes.
struct BlobPut {
    BlobId id;                                 // from new_blob_id of the batch's shard
    std::shared_ptr<const std::string> bytes;  // as the blob layer framed them
};

struct Batch {
    ShardId shard;
    OperationId operation;  // recorded with the batch, so that an unknown outcome can be looked up;
                            // an empty id is not recorded
    std::vector<Precondition> preconditions;
    std::vector<Operation> operations;  // applied in order
    std::vector<BlobPut> blobs;
    // Dropped once the batch is durable, and before it is answered; a crash in between may leave
    // such a blob. Any shard's blobs.
    std::vector<BlobId> erased_blobs;
};

enum class Outcome : std::uint8_t {
    committed,  // durable now
    conflict,   // a precondition did not hold; nothing was changed
    unknown,    // may or may not have been committed: ask `was_committed`
};

// An Error means: surely not committed (unavailable: disk full or engine closed; invalid: a bound
// broken).
using CommitResult = Result<Outcome>;
using CommitDone = std::function<void(CommitResult)>;

struct Row {
    std::string key;
    std::string value;
};
struct Page {
    std::vector<Row> rows;  // ascending by key
    bool more = false;      // continue from the last key + '\0', be it of a row or a damaged one
    std::vector<std::string> damaged;  // keys whose value does not read back; only of scan_through
};

// The greatest key of a page that is not empty.
const std::string& last_key(const Page& page);

// What care for the whole store walks over. Slow on a distributed engine: for maintenance alone.
struct ShardPage {
    std::vector<ShardId> shards;  // ascending; those that hold rows
    bool more = false;
};
struct StoredBlob {
    BlobId id;
    std::uint64_t bytes = 0;  // as stored
};
struct BlobPage {
    std::vector<StoredBlob> blobs;  // in the engine's order
    std::string next;               // where to go on; empty: this was the end
};
// What the engine takes on disk, all together. Zero where it does not know.
struct Space {
    std::uint64_t file_bytes = 0;
    std::uint64_t free_bytes = 0;  // of them: kept for new rows and bodies
    std::uint64_t row_bytes = 0;   // pages of rows
    std::uint64_t blob_bytes = 0;  // pages of bodies
};

class Store {
public:
    virtual ~Store() = default;

    // nullopt: no such key. Errors: unavailable, corrupt.
    virtual Result<std::optional<std::string>> get(const ShardId& shard, std::string_view key) = 0;

    // Rows with from <= key < to (empty `to`: to the shard's end), at most limit
    // (1..max_page_rows). Errors: invalid (limit), unavailable, corrupt.
    Result<Page> scan(const ShardId& shard, std::string_view from, std::string_view to,
                      std::size_t limit);
    // As scan, but a row that is damaged does not spoil the page: its key is told. Such rows count
    // for the limit.
    virtual Result<Page> scan_through(const ShardId& shard, std::string_view from,
                                      std::string_view to, std::size_t limit) = 0;

    // Queues the batch; `done` is called exactly once, on an engine thread, after the outcome is
    // durable. `done` must not block. Batches of one shard commit in the order in which they were
    // queued.
    virtual void commit(Batch batch, CommitDone done) = 0;

    // Whether a batch of that operation id was committed on the shard through this object. Kept at
    // least for the last min_operations_remembered operations of the whole store.
    virtual Result<bool> was_committed(const ShardId& shard, const OperationId& operation) = 0;

    // A fresh id for a blob that a batch on that shard will put. The lowest bit of the last byte is
    // 0 and is the caller's to set.
    virtual BlobId new_blob_id(const ShardId& shard) = 0;

    // Bytes [offset, offset + length) of a blob, fewer at its end. Errors: not_found, unavailable,
    // corrupt.
    virtual Result<std::string> read_blob(const BlobId& id, std::uint64_t offset,
                                          std::uint64_t length) = 0;

    // Calls `changed` after commits on the shard made through this process, until the handle dies:
    // once its last owner has returned from letting go of it, `changed` is not running and never
    // will. A hint only: may be late, doubled or lost, and is called on an engine thread. Must not
    // block.
    virtual std::shared_ptr<void> watch(const ShardId& shard, std::function<void()> changed) = 0;
    // As watch, for all shards of a kind.
    virtual std::shared_ptr<void> watch_kind(ShardKind kind,
                                             std::function<void(const ShardId&)> changed) = 0;

    // Shards after that one, at most limit (1..max_page_rows); what is committed meanwhile may be
    // missing.
    virtual Result<ShardPage> list_shards(const ShardId& after, std::size_t limit) = 0;
    // Blobs from that place on (empty: the first), at most limit. As list_shards.
    virtual Result<BlobPage> list_blobs(const std::string& from, std::size_t limit) = 0;
    virtual Result<Space> space() = 0;

    // Waits for commit, and resolves `unknown` (so it never answers that). Not on an engine thread.
    CommitResult commit_and_wait(Batch batch);

    // What the blob layer keeps in memory beside this store, as long as it lives; `make` runs once.
    std::shared_ptr<void> beside(const std::function<std::shared_ptr<void>()>& make);

private:
    std::mutex beside_mutex_;
    std::shared_ptr<void> beside_;
};

// Turns `unknown` into an answer by asking `was_committed`: committed, or an Error (surely not
// committed, or, where its text says so, still doubtful). Any other result passes through. Not on
// an engine thread.
inline constexpr int max_resolve_attempts = 8;
CommitResult resolve_outcome(Store& store, const ShardId& shard, const OperationId& operation,
                             CommitResult result);

// Errc::invalid with the broken bound, or nothing when the batch keeps all of them.
Result<void> validate(const Batch& batch);

std::unique_ptr<Store> make_memory_store();

struct LmdbOptions {
    std::string folder;         // made when missing
    unsigned environments = 4;  // fixed at creation; an existing store's own number wins
    std::uint64_t initial_map_bytes = std::uint64_t{1} << 30;  // grows by itself
};
// Errors: unavailable (cannot open), unsupported (a format version that is newer than this program
// knows, or older).
Result<std::unique_ptr<Store>> open_lmdb_store(const LmdbOptions& options);

struct Compacted {
    std::uint64_t bytes_before = 0, bytes_after = 0;
};
// Rewrites each environment's file without free pages, one after the other; ended anywhere, the
// store is whole. Nobody may have the store open. Needs free disk for the largest file once more.
// `progress`: environments done, and all. Errors: unavailable, corrupt.
Result<Compacted> compact_lmdb_store(const std::string& folder,
                                     const std::function<void(unsigned, unsigned)>& progress);

}  // namespace postern::kv

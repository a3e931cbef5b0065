// The LMDB engine: several environments, a shard in the one that its hash names, a committer for
// each.
#include "store/kv/committer.h"
#include "store/kv/kv.h"
#include "store/kv/lmdb_environment.h"
#include "store/kv/lmdb_rows.h"
#include "store/kv/lmdb_upgrade.h"
#include "store/kv/recent_operations.h"
#include "store/kv/shard_key.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>

namespace postern::kv {

namespace {

constexpr unsigned max_environments = 64;
constexpr unsigned groups_between_reader_checks = 4096;

class LmdbStore final : public Store {
public:
    Result<void> open(const LmdbOptions& options);
    ~LmdbStore() override;

    Result<std::optional<std::string>> get(const ShardId& shard, std::string_view key) override;
    Result<Page> scan_through(const ShardId& shard, std::string_view from, std::string_view to,
                              std::size_t limit) override;
    void commit(Batch batch, CommitDone done) override;
    Result<bool> was_committed(const ShardId& shard, const OperationId& operation) override;
    BlobId new_blob_id(const ShardId& shard) override;
    Result<std::string> read_blob(const BlobId& id, std::uint64_t offset,
                                  std::uint64_t length) override;
    Result<ShardPage> list_shards(const ShardId& after, std::size_t limit) override;
    Result<BlobPage> list_blobs(const std::string& from, std::size_t limit) override;
    Result<Space> space() override;
    std::shared_ptr<void> watch(const ShardId& shard, std::function<void()> changed) override {
        return watchers_.add(shard, std::move(changed));
    }
    std::shared_ptr<void> watch_kind(ShardKind kind,
                                     std::function<void(const ShardId&)> changed) override {
        return watchers_.add_kind(kind, std::move(changed));
    }

private:
    struct Part {
        unsigned index = 0;
        std::unique_ptr<LmdbEnvironment> environment;
        std::atomic<std::uint64_t> next_blob{1};
        unsigned groups = 0;
        RecentOperations operations;
        std::unique_ptr<Committer> committer;
    };

    Result<void> add_part(const std::string& folder, unsigned index,
                          std::unique_ptr<LmdbEnvironment> environment);
    Part& part_of(std::uint16_t hash) { return *parts_[hash % parts_.size()]; }
    void apply(Part& part, std::vector<Committer::Item>& group);
    int apply_items(Part& part, std::vector<Committer::Item>& items, std::size_t first,
                    std::size_t last);
    void erase_elsewhere(const Part& part, std::vector<Committer::Item>& group);

    Watchers watchers_;
    std::vector<std::unique_ptr<Part>> parts_;
};

Result<void> LmdbStore::add_part(const std::string& folder, unsigned index,
                                 std::unique_ptr<LmdbEnvironment> environment) {
    auto part = std::make_unique<Part>();
    part->index = index;
    part->environment = std::move(environment);
    std::uint64_t sequence = 1;
    const int code = part->environment->read([&](MDB_txn* transaction) {
        return next_blob_sequence(transaction, part->environment->tables(), sequence);
    });
    if (code != 0) return lmdb_error(code, "cannot read the blobs of " + folder);
    part->next_blob = sequence;
    parts_.push_back(std::move(part));
    return {};
}

Result<std::vector<std::unique_ptr<LmdbEnvironment>>> open_environments(
    const LmdbOptions& options) {
    std::vector<std::unique_ptr<LmdbEnvironment>> opened;
    unsigned count = options.environments;  // until the first one tells the store's own
    for (unsigned index = 0; index < count; ++index) {
        const auto folder = std::filesystem::path(options.folder) / std::to_string(index);
        auto environment =
            LmdbEnvironment::open(folder.string(), index, count, options.initial_map_bytes);
        if (!environment) return environment.error();
        opened.push_back(*std::move(environment));
        count = opened[0]->environments();
        if (count == 0 || count > max_environments) {
            return Error{Errc::corrupt,
                         "store: " + options.folder + " has no readable count of parts"};
        }
    }
    return opened;
}

Result<void> LmdbStore::open(const LmdbOptions& options) {
    if (options.environments == 0 || options.environments > max_environments) {
        return Error{Errc::invalid, "store: 1 to 64 environments are possible"};
    }
    auto environments = open_environments(options);
    if (!environments) return environments.error();
    auto upgraded = upgrade_environments(options.folder, *environments);
    if (!upgraded) return upgraded;
    for (unsigned index = 0; index < environments->size(); ++index) {
        auto added = add_part(options.folder, index, std::move((*environments)[index]));
        if (!added) return added;
    }
    for (auto& part : parts_) {
        Part* owner = part.get();
        part->committer = std::make_unique<Committer>(
            [this, owner](std::vector<Committer::Item>& group) { apply(*owner, group); },
            watchers_);
    }
    return {};
}

LmdbStore::~LmdbStore() {
    // Groups may still queue erasures to other parts: only when all are drained may one go.
    for (auto& part : parts_) {
        if (part->committer) part->committer->drain();
    }
    for (auto& part : parts_) part->committer.reset();
}

Result<std::optional<std::string>> LmdbStore::get(const ShardId& shard, std::string_view key) {
    if (key.empty() || key.size() > max_key_bytes) return std::nullopt;
    LmdbEnvironment& environment = *part_of(shard_hash(shard)).environment;
    std::optional<std::string> found;
    const int code = environment.read([&](MDB_txn* transaction) {
        std::optional<std::string_view> value;
        RowKey row(shard);
        const int status = get_row(transaction, environment.tables(), row.with(key), value);
        if (value && status == 0) found.emplace(*value);
        return status;
    });
    if (code != 0) return lmdb_error(code, "cannot read a row");
    return found;
}

Result<Page> LmdbStore::scan_through(const ShardId& shard, std::string_view from,
                                     std::string_view to, std::size_t limit) {
    if (limit == 0 || limit > max_page_rows) return Error{Errc::invalid, "scan: bad limit"};
    LmdbEnvironment& environment = *part_of(shard_hash(shard)).environment;
    Page page;
    const int code = environment.read([&](MDB_txn* transaction) {
        return scan_rows(transaction, environment.tables(), shard, from, to, limit, page);
    });
    if (code != 0) return lmdb_error(code, "cannot read rows");
    return page;
}

void LmdbStore::commit(Batch batch, CommitDone done) {
    part_of(shard_hash(batch.shard)).committer->queue(std::move(batch), std::move(done));
}

Result<bool> LmdbStore::was_committed(const ShardId& shard, const OperationId& operation) {
    return part_of(shard_hash(shard)).operations.has(shard, operation);
}

BlobId LmdbStore::new_blob_id(const ShardId& shard) {
    return make_blob_id(shard, part_of(shard_hash(shard)).next_blob.fetch_add(1));
}

Result<std::string> LmdbStore::read_blob(const BlobId& id, std::uint64_t offset,
                                         std::uint64_t length) {
    LmdbEnvironment& environment = *part_of(shard_hash(id)).environment;
    std::string bytes;
    const int code = environment.read([&](MDB_txn* transaction) {
        return read_blob_range(transaction, environment.tables(), id, offset, length, bytes);
    });
    if (code == MDB_NOTFOUND) return Error{Errc::not_found, "no such blob: " + to_hex(id)};
    if (code != 0) return lmdb_error(code, "cannot read blob " + to_hex(id));
    return bytes;
}

Result<ShardPage> LmdbStore::list_shards(const ShardId& after, std::size_t limit) {
    if (limit == 0 || limit > max_page_rows) return Error{Errc::invalid, "list: bad limit"};
    ShardPage page;
    for (auto& part : parts_) {
        std::vector<ShardId> found;
        const int code = part->environment->read([&](MDB_txn* transaction) {
            found.clear();
            return kv::list_shards(transaction, part->environment->tables(), after, limit + 1,
                                   found);
        });
        if (code != 0) return lmdb_error(code, "cannot list what is stored");
        page.shards.insert(page.shards.end(), found.begin(), found.end());
    }
    std::sort(page.shards.begin(), page.shards.end());
    page.more = page.shards.size() > limit;
    if (page.more) page.shards.resize(limit);
    return page;
}

// A place is the number of the environment, as one byte, and a key in it.
Result<BlobPage> LmdbStore::list_blobs(const std::string& from, std::size_t limit) {
    if (limit == 0 || limit > max_page_rows) return Error{Errc::invalid, "list: bad limit"};
    const std::size_t index = from.empty() ? 0 : static_cast<unsigned char>(from[0]);
    BlobPage page;
    if (index >= parts_.size()) return page;
    LmdbEnvironment& environment = *parts_[index]->environment;
    const std::string_view key = from.empty() ? "" : std::string_view(from).substr(1);
    const int code = environment.read([&](MDB_txn* transaction) {
        page = {};
        return kv::list_blobs(transaction, environment.tables(), key, limit, page);
    });
    if (code != 0) return lmdb_error(code, "cannot list the bodies");
    if (!page.next.empty()) {
        page.next.insert(page.next.begin(), static_cast<char>(index));
    } else if (index + 1 < parts_.size()) {
        page.next.assign(1, static_cast<char>(index + 1));
    }
    return page;
}

Result<Space> LmdbStore::space() {
    Space space;
    for (auto& part : parts_) {
        const int code = part->environment->read([&](MDB_txn* transaction) {
            return measure_space(transaction, part->environment->tables(), space);
        });
        if (code != 0) return lmdb_error(code, "cannot measure the store");
    }
    const std::uint64_t used = space.row_bytes + space.blob_bytes;
    space.free_bytes = space.file_bytes > used ? space.file_bytes - used : 0;
    return space;
}

// Only the batch's own fault: on a failing disk trying each alone would just fail again and again.
bool concerns_one_batch(int code) {
    return code == MDB_TXN_FULL || code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND ||
           code == MDB_BAD_VALSIZE || code == MDB_PAGE_FULL || code == MDB_CURSOR_FULL;
}

int LmdbStore::apply_items(Part& part, std::vector<Committer::Item>& items, std::size_t first,
                           std::size_t last) {
    std::size_t bytes = 0;
    for (std::size_t i = first; i < last; ++i) bytes += blob_bytes(items[i].batch);
    return part.environment->write(2 * bytes, [&](MDB_txn* transaction) {
        for (std::size_t i = first; i < last; ++i) {
            Committer::Item& item = items[i];
            if (!item.result) continue;
            Outcome outcome = Outcome::unknown;
            const int code = apply_batch(transaction, part.environment->tables(), item.batch,
                                         part.index, static_cast<unsigned>(parts_.size()), outcome);
            if (code != 0) return code;
            item.result = outcome;
        }
        return 0;
    });
}

void LmdbStore::apply(Part& part, std::vector<Committer::Item>& group) {
    const auto fail = [&](std::size_t first, std::size_t last, int code) {
        for (std::size_t i = first; i < last; ++i) {
            if (group[i].result) group[i].result = lmdb_error(code, "cannot commit");
        }
    };
    const int code = apply_items(part, group, 0, group.size());
    if (code != 0 && group.size() > 1 && concerns_one_batch(code)) {
        for (std::size_t i = 0; i < group.size(); ++i) {
            const int own = apply_items(part, group, i, i + 1);
            if (own != 0) fail(i, i + 1, own);
        }
    } else if (code != 0) {
        fail(0, group.size(), code);
    }
    for (const Committer::Item& item : group) {
        if (!item.result || *item.result != Outcome::committed) continue;
        part.operations.add(item.batch.shard, item.batch.operation);
    }
    erase_elsewhere(part, group);
    if (++part.groups % groups_between_reader_checks == 0) part.environment->drop_stale_readers();
}

// An answer that waits for other environments to do their part.
struct Deferred {
    std::atomic<std::size_t> waits_for{1};
    CommitDone done;
    CommitResult result = Outcome::unknown;

    void one_less() {
        if (--waits_for == 0) done(std::move(result));
    }
};

// Blobs that lie in other environments are erased by those environments' committers, afterwards;
// the batch is answered when they have.
void LmdbStore::erase_elsewhere(const Part& part, std::vector<Committer::Item>& group) {
    for (Committer::Item& item : group) {
        if (!item.result || *item.result != Outcome::committed) continue;
        std::map<unsigned, std::vector<BlobId>> elsewhere;
        for (const BlobId& id : item.batch.erased_blobs) {
            const unsigned index = shard_hash(id) % static_cast<unsigned>(parts_.size());
            if (index != part.index) elsewhere[index].push_back(id);
        }
        if (elsewhere.empty()) continue;
        auto deferred = std::make_shared<Deferred>();
        deferred->waits_for = elsewhere.size() + 1;
        deferred->done = std::move(item.done);
        item.done = [deferred](CommitResult result) {
            deferred->result = std::move(result);
            deferred->one_less();
        };
        for (auto& [index, ids] : elsewhere) {
            Batch batch;
            batch.erased_blobs = std::move(ids);
            // A blob that could not be erased is only space lost: the batch stands all the same.
            parts_[index]->committer->queue(
                std::move(batch), [deferred](const CommitResult&) { deferred->one_less(); });
        }
    }
}

}  // namespace

Result<std::unique_ptr<Store>> open_lmdb_store(const LmdbOptions& options) {
    auto store = std::make_unique<LmdbStore>();
    if (auto opened = store->open(options); !opened) return opened.error();
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace postern::kv

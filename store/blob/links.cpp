#include "store/blob/links.h"

#include "store/blob/blob.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <map>

namespace postern::blob {

namespace {

constexpr std::uint64_t link_shard_count = 16;
constexpr int max_link_attempts = 100;
constexpr std::size_t max_blobs_per_batch = 20;

kv::ShardId shard_of(const BlobId& blob) {
    return {kv::ShardKind::blob_links, blob.bytes[15] / 2 % link_shard_count};
}

std::string key_of(const BlobId& blob) {
    return kv::RowWriter().id(blob).take();
}

using Owners = std::vector<std::uint64_t>;

// The only owner of a body that is being dropped: until the body is gone for sure, the row stays,
// so that whoever comes after a crash drops it again.
constexpr std::uint64_t dying = 0;

Owners decode_owners(std::string_view value) {
    Owners owners;
    kv::RowReader reader(value);
    while (!reader.at_end() && reader.ok()) {
        const std::uint64_t owner = reader.u64();
        if (owner != dying) owners.push_back(owner);
    }
    return owners;
}

std::string encode_owners(const Owners& owners) {
    kv::RowWriter writer;
    for (std::uint64_t owner : owners) writer.u64(owner);
    return writer.take();
}

// One blob's row within a batch: what it was, and what it becomes.
struct Link {
    std::optional<std::string> before;
    Owners owners;
};

// Changes several blobs' rows of one shard in one batch.
class LinkBatch {
public:
    LinkBatch(kv::Store& store, const kv::ShardId& shard) : store_(store) {
        batch_.shard = shard;
        batch_.operation = kv::random_id();
    }

    Result<Owners*> link(const BlobId& blob) {
        const auto found = links_.find(blob);
        if (found != links_.end()) return &found->second.owners;
        auto value = store_.get(batch_.shard, key_of(blob));
        if (!value) return value.error();
        Link& link = links_[blob];
        link.owners = *value ? decode_owners(**value) : Owners{first_owner};
        link.before = std::move(*value);
        return &link.owners;
    }

    kv::CommitResult commit() {
        for (auto& [blob, link] : links_) {
            const std::string key = key_of(blob);
            batch_.preconditions.push_back({key, link.before});
            if (!link.owners.empty()) {
                const bool is_implied = !link.before && link.owners == Owners{first_owner};
                if (!is_implied)
                    batch_.operations.emplace_back(kv::Put{key, encode_owners(link.owners)});
                continue;
            }
            if (has_parts(blob)) {
                // Its parts are let go of first, and only once nobody can become an owner.
                batch_.operations.emplace_back(kv::Put{key, encode_owners({dying})});
                with_parts_.push_back(blob);
                continue;
            }
            if (link.before) {
                batch_.operations.emplace_back(kv::Put{key, encode_owners({dying})});
                ended_.push_back(key);
            }
            batch_.erased_blobs.push_back(blob);
        }
        const kv::ShardId shard = batch_.shard;
        auto outcome = store_.commit_and_wait(std::move(batch_));
        if (!outcome || *outcome != kv::Outcome::committed) return outcome;
        for (const BlobId& blob : with_parts_) {
            const auto dropped = drop_with_parts(shard, blob);
            if (!dropped) return dropped.error();
        }
        return ended_.empty() ? outcome : forget(shard);
    }

private:
    // A crash anywhere leaves the row, and whoever released the body does it again.
    Result<void> drop_with_parts(const kv::ShardId& shard, const BlobId& blob) {
        const auto told = info(store_, blob);
        if (!told && told.error().code == Errc::unavailable) return told.error();
        // What a damaged body led to is found by `postern store check`.
        if (told) {
            const auto released = release_parts(store_, told->parts, blob);
            if (!released) return released;
        }
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        batch.preconditions.push_back({key_of(blob), encode_owners({dying})});
        batch.erased_blobs.push_back(blob);
        const auto outcome = store_.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) ended_.push_back(key_of(blob));
        return {};
    }

    // The bodies are gone: their rows may go. One that somebody became an owner of stays.
    kv::CommitResult forget(const kv::ShardId& shard) {
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        for (const std::string& key : ended_) {
            const auto now = store_.get(shard, key);
            if (!now || !*now || **now != encode_owners({dying})) continue;
            batch.preconditions.push_back({key, **now});
            batch.operations.emplace_back(kv::Erase{key});
        }
        const auto forgotten = store_.commit_and_wait(std::move(batch));
        if (!forgotten) return forgotten.error();
        return kv::Outcome::committed;  // a lost race leaves a row, which harms nothing
    }

    kv::Store& store_;
    kv::Batch batch_;
    std::map<BlobId, Link> links_;
    std::vector<std::string> ended_;
    std::vector<BlobId> with_parts_;
};

Result<void> add(LinkBatch& batch, const Ownership& change) {
    const auto owners = batch.link(change.blob);
    if (!owners) return owners.error();
    Owners& list = **owners;
    if (std::find(list.begin(), list.end(), change.owner) == list.end()) {
        list.push_back(change.owner);
    }
    if (list.size() > max_owners) return Error{Errc::limit, "a message has too many copies"};
    return {};
}

Result<void> take_off(LinkBatch& batch, const Ownership& change) {
    const auto owners = batch.link(change.blob);
    if (!owners) return owners.error();
    Owners& list = **owners;
    list.erase(std::remove(list.begin(), list.end(), change.owner), list.end());
    return {};
}

using Apply = Result<void> (*)(LinkBatch&, const Ownership&);

Result<void> commit_changes(kv::Store& store, const kv::ShardId& shard,
                            const std::vector<Ownership>& changes, Apply apply) {
    for (int attempt = 0; attempt < max_link_attempts; ++attempt) {
        LinkBatch batch(store, shard);
        for (const Ownership& change : changes) {
            const auto applied = apply(batch, change);
            if (!applied) return applied.error();
        }
        const auto outcome = batch.commit();
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return {};
    }
    return Error{Errc::conflict, "a message's owners change too fast; try again"};
}

Result<void> change_all(kv::Store& store, const std::vector<Ownership>& changes, Apply apply) {
    std::map<kv::ShardId, std::vector<Ownership>> by_shard;
    for (const Ownership& change : changes) {
        std::vector<Ownership>& group = by_shard[shard_of(change.blob)];
        group.push_back(change);
        if (group.size() < max_blobs_per_batch) continue;
        const auto done = commit_changes(store, shard_of(change.blob), group, apply);
        if (!done) return done;
        group.clear();
    }
    for (const auto& [shard, group] : by_shard) {
        if (group.empty()) continue;
        const auto done = commit_changes(store, shard, group, apply);
        if (!done) return done;
    }
    return {};
}

}  // namespace

Result<void> add_owners(kv::Store& store, const std::vector<Ownership>& owners) {
    return change_all(store, owners, add);
}

Result<void> release(kv::Store& store, const std::vector<Ownership>& owners) {
    return change_all(store, owners, take_off);
}

Result<std::vector<std::uint64_t>> owners(kv::Store& store, const BlobId& blob) {
    const auto value = store.get(shard_of(blob), key_of(blob));
    if (!value) return value.error();
    return *value ? decode_owners(**value) : Owners{first_owner};
}

std::vector<kv::ShardId> link_shards() {
    std::vector<kv::ShardId> shards;
    for (std::uint64_t i = 0; i < link_shard_count; ++i) {
        shards.push_back({kv::ShardKind::blob_links, i});
    }
    return shards;
}

BlobId linked_blob(const kv::Row& row) {
    return kv::RowReader(row.key).id();
}

}  // namespace postern::blob

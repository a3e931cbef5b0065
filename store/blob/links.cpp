#include "store/blob/links.h"

#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <map>

namespace postern::blob {

namespace {

constexpr std::uint64_t link_shards = 16;
constexpr int max_attempts = 100;
constexpr std::size_t max_blobs_per_batch = 20;

kv::ShardId shard_of(const BlobId& blob) {
    return {kv::ShardKind::blob_links, blob.bytes[15] / 2 % link_shards};
}

std::string key_of(const BlobId& blob) {
    return kv::RowWriter().id(blob).take();
}

using Owners = std::vector<std::uint64_t>;

Owners decode(std::string_view value) {
    Owners owners;
    kv::RowReader reader(value);
    while (!reader.at_end() && reader.ok()) owners.push_back(reader.u64());
    return owners;
}

std::string encode(const Owners& owners) {
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
        link.owners = *value ? decode(**value) : Owners{first_owner};
        link.before = std::move(*value);
        return &link.owners;
    }

    kv::CommitResult commit() {
        for (auto& [blob, link] : links_) {
            const std::string key = key_of(blob);
            batch_.preconditions.push_back({key, link.before});
            if (!link.owners.empty()) {
                const bool is_implied = !link.before && link.owners == Owners{first_owner};
                if (!is_implied) batch_.operations.emplace_back(kv::Put{key, encode(link.owners)});
                continue;
            }
            if (link.before) batch_.operations.emplace_back(kv::Erase{key});
            batch_.erased_blobs.push_back(blob);
        }
        return store_.commit_and_wait(std::move(batch_));
    }

private:
    kv::Store& store_;
    kv::Batch batch_;
    std::map<BlobId, Link> links_;
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
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
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

}  // namespace postern::blob

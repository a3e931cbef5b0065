// What one run of a backup found, as kept in snapshots/TIME.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/care/pack.h"
#include "store/care/walk.h"
#include "store/kv/kv.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::care {

struct SavedShard {  // of the directory, accounts, pools and what the filter learned
    kv::ShardId shard;
    std::vector<Id128> chunks;
};
struct SavedMailbox {
    NamedMailbox mailbox;
    std::string head;  // as stored
    std::vector<Id128> chunks;
    std::vector<Id128> extra;  // annotations and rights, which change without the head
};
struct Snapshot {
    std::vector<SavedShard> shards;
    std::vector<SavedMailbox> mailboxes;
};

std::string encode(const Snapshot& snapshot);
std::optional<Snapshot> decode_snapshot(std::string_view bytes);

std::string snapshot_path(const std::string& folder, const std::string& name);
// The packs of a backup.
Result<PackSet> open_packs(const std::string& folder);

// Some rows as one record, compressed, and back.
std::string encode_chunk(const std::vector<kv::Row>& rows);
Result<std::vector<kv::Row>> decode_chunk(const std::string& record);

}  // namespace postern::care

// A shard's name as bytes, and what engines derive from it.
#pragma once

#include "store/kv/kv.h"

#include <cstdint>
#include <string>

namespace postern::kv {

inline constexpr std::size_t shard_key_bytes = 13;

// kind, number, partition, big endian: sorts as ShardId does. Always shard_key_bytes long.
std::string shard_key(const ShardId& shard);

// Stable over releases: which environment holds a shard, and what its blobs' ids begin with.
std::uint16_t shard_hash(const ShardId& shard);

// The shard_hash of the shard that a blob id was made for.
std::uint16_t shard_hash(const BlobId& id);

// Layout of every BlobId: 2 bytes shard_hash, 6 bytes `sequence` (big endian), 8 random bytes of
// which the lowest bit is 0.
BlobId make_blob_id(const ShardId& shard, std::uint64_t sequence);
std::uint64_t blob_sequence(const BlobId& id);

}  // namespace postern::kv

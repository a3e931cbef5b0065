#include "store/kv/shard_key.h"

#include "protocols/base/hash.h"
#include "store/kv/random_id.h"

namespace postern::kv {

namespace {

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        out += static_cast<char>(value >> shift & 0xff);
    }
}

}  // namespace

std::string shard_key(const ShardId& shard) {
    std::string out;
    out.reserve(shard_key_bytes);
    put_big_endian(out, static_cast<std::uint8_t>(shard.kind), 1);
    put_big_endian(out, shard.number, 8);
    put_big_endian(out, shard.partition, 4);
    return out;
}

std::uint16_t shard_hash(const ShardId& shard) {
    return static_cast<std::uint16_t>(hash64(shard_key(shard)));
}

std::uint16_t shard_hash(const BlobId& id) {
    return static_cast<std::uint16_t>(id.bytes[0] << 8 | id.bytes[1]);
}

BlobId make_blob_id(const ShardId& shard, std::uint64_t sequence) {
    BlobId id = random_id();
    const std::uint16_t hash = shard_hash(shard);
    id.bytes[0] = static_cast<std::uint8_t>(hash >> 8);
    id.bytes[1] = static_cast<std::uint8_t>(hash & 0xff);
    for (int i = 0; i < 6; ++i) {
        id.bytes[2 + i] = static_cast<std::uint8_t>(sequence >> (8 * (5 - i)) & 0xff);
    }
    id.bytes[15] &= 0xfe;
    return id;
}

std::uint64_t blob_sequence(const BlobId& id) {
    std::uint64_t sequence = 0;
    for (int i = 0; i < 6; ++i) sequence = sequence << 8 | id.bytes[2 + i];
    return sequence;
}

}  // namespace postern::kv

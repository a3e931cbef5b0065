#include "store/care/snapshot.h"

#include "store/blob/blob.h"
#include "store/kv/row_codec.h"

namespace postern::care {

namespace {

constexpr std::uint8_t snapshot_version = 1;

void put_chunks(kv::RowWriter& writer, const std::vector<Id128>& chunks) {
    writer.varint(chunks.size());
    for (const Id128& chunk : chunks) writer.id(chunk);
}

std::vector<Id128> get_chunks(kv::RowReader& reader) {
    std::vector<Id128> chunks;
    const std::uint64_t count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) chunks.push_back(reader.id());
    return chunks;
}

}  // namespace

std::string encode(const Snapshot& snapshot) {
    kv::RowWriter writer;
    writer.u8(snapshot_version).varint(snapshot.shards.size());
    for (const SavedShard& saved : snapshot.shards) {
        writer.u8(static_cast<std::uint8_t>(saved.shard.kind));
        writer.u64(saved.shard.number).u32(saved.shard.partition);
        put_chunks(writer, saved.chunks);
    }
    writer.varint(snapshot.mailboxes.size());
    for (const SavedMailbox& saved : snapshot.mailboxes) {
        writer.u64(saved.mailbox.account.value).bytes(saved.mailbox.owner);
        writer.bytes(saved.mailbox.name).u64(saved.mailbox.id.value).bytes(saved.head);
        put_chunks(writer, saved.chunks);
        put_chunks(writer, saved.extra);
    }
    return blob::encode(writer.take());
}

std::optional<Snapshot> decode_snapshot(std::string_view bytes) {
    const auto raw = blob::decode(bytes);
    if (!raw) return std::nullopt;
    kv::RowReader reader(*raw);
    if (reader.u8() != snapshot_version) return std::nullopt;
    Snapshot snapshot;
    const std::uint64_t shards = reader.varint();
    for (std::uint64_t i = 0; i < shards && reader.ok(); ++i) {
        SavedShard saved;
        saved.shard.kind = static_cast<kv::ShardKind>(reader.u8());
        saved.shard.number = reader.u64();
        saved.shard.partition = reader.u32();
        saved.chunks = get_chunks(reader);
        snapshot.shards.push_back(std::move(saved));
    }
    const std::uint64_t mailboxes = reader.varint();
    for (std::uint64_t i = 0; i < mailboxes && reader.ok(); ++i) {
        SavedMailbox saved;
        saved.mailbox.account.value = reader.u64();
        saved.mailbox.owner = reader.bytes();
        saved.mailbox.name = reader.bytes();
        saved.mailbox.id.value = reader.u64();
        saved.head = reader.bytes();
        saved.chunks = get_chunks(reader);
        saved.extra = get_chunks(reader);
        snapshot.mailboxes.push_back(std::move(saved));
    }
    if (!reader.done()) return std::nullopt;
    return snapshot;
}

std::string snapshot_path(const std::string& folder, const std::string& name) {
    return folder + "/snapshots/" + name;
}

Result<PackSet> open_packs(const std::string& folder) {
    return PackSet::open(folder + "/bodies");
}

std::string encode_chunk(const std::vector<kv::Row>& rows) {
    kv::RowWriter writer;
    for (const kv::Row& row : rows) writer.bytes(row.key).bytes(row.value);
    return blob::encode(writer.take());
}

Result<std::vector<kv::Row>> decode_chunk(const std::string& record) {
    const auto raw = blob::decode(record);
    if (!raw) return raw.error();
    std::vector<kv::Row> rows;
    kv::RowReader reader(*raw);
    while (reader.ok() && !reader.at_end()) {
        std::string key(reader.bytes());
        std::string value(reader.bytes());
        rows.push_back({std::move(key), std::move(value)});
    }
    if (!reader.ok()) return Error{Errc::corrupt, "a record of rows in the backup is damaged"};
    return rows;
}

}  // namespace postern::care

#include "store/blob/parts.h"

#include "protocols/base/hash.h"
#include "store/blob/frames.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>

namespace postern::blob {

namespace {

constexpr std::uint64_t part_shard_count = 64;
constexpr int max_part_attempts = 100;
constexpr std::uint64_t compared_bytes = 1024 * 1024;  // at once

kv::ShardId shard_of(std::uint64_t hash) {
    return {kv::ShardKind::parts, 1 + hash % part_shard_count, 0};
}
std::string newest_part_key(std::uint64_t hash) {
    return kv::RowWriter().u8('h').u64(hash).take();
}
std::string part_key(const PartName& name) {
    return kv::RowWriter().u8('p').u64(name.hash).id(name.id).take();
}
std::string users_prefix(const PartName& name) {
    return kv::RowWriter().u8('u').u64(name.hash).id(name.id).take();
}
std::string user_key(const PartName& name, const BlobId& body) {
    return users_prefix(name) + kv::RowWriter().id(body).take();
}
const std::string present = "1";

std::string encode(const StoredPart& part) {
    return kv::RowWriter().id(part.blob).varint(part.size).varint(part.users).take();
}
std::optional<StoredPart> decode(const PartName& name, std::string_view value) {
    kv::RowReader reader(value);
    StoredPart part;
    part.name = name;
    part.blob = reader.id();
    part.size = reader.varint();
    part.users = reader.varint();
    if (!reader.done()) return std::nullopt;
    return part;
}

// A part's row, and what it was, for the precondition of a change.
struct Known {
    std::string row;
    StoredPart part;
};
Result<std::optional<Known>> known_part(kv::Store& store, const PartName& name) {
    auto row = store.get(shard_of(name.hash), part_key(name));
    if (!row) return row.error();
    if (!*row) return std::optional<Known>();
    const auto part = decode(name, **row);
    if (!part) return Error{Errc::corrupt, "the row of a part is damaged"};
    return std::optional<Known>(Known{std::move(**row), *part});
}

// Whether the stored part reads back as these bytes. Errors: unavailable.
Result<bool> holds(kv::Store& store, const StoredPart& part, std::string_view bytes) {
    if (part.size != bytes.size()) return false;
    for (std::uint64_t at = 0; at < bytes.size(); at += compared_bytes) {
        const auto piece = read_frames(store, part.blob, at, compared_bytes);
        if (!piece && piece.error().code == Errc::unavailable) return piece.error();
        if (!piece || *piece != bytes.substr(at, compared_bytes)) return false;
    }
    return true;
}

// The row that leads to the newest part with that hash. It is a hint: one that does not read back
// counts as none, and is written over.
struct Newest {
    std::optional<std::string> row;
    bool damaged = false;

    void expect_unchanged(kv::Batch& batch, std::uint64_t hash) const {
        if (!damaged) batch.preconditions.push_back({newest_part_key(hash), row});
    }
};
Result<Newest> newest_of(kv::Store& store, std::uint64_t hash) {
    auto row = store.get(shard_of(hash), newest_part_key(hash));
    if (row) return Newest{std::move(*row), false};
    if (row.error().code == Errc::corrupt) return Newest{std::nullopt, true};
    return row.error();
}

kv::Batch batch_of(std::uint64_t hash) {
    kv::Batch batch;
    batch.shard = shard_of(hash);
    batch.operation = kv::random_id();
    return batch;
}

// False: a precondition did not hold.
Result<bool> commit(kv::Store& store, kv::Batch batch) {
    const auto outcome = store.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    return *outcome == kv::Outcome::committed;
}

void put_part(kv::Batch& batch, const StoredPart& part) {
    batch.operations.emplace_back(kv::Put{part_key(part.name), encode(part)});
}

Result<bool> add_user(kv::Store& store, const Known& known, const BlobId& body) {
    const PartName& name = known.part.name;
    const auto is_there = is_user(store, name, body);
    if (!is_there || *is_there) return is_there;
    kv::Batch batch = batch_of(name.hash);
    batch.preconditions.push_back({part_key(name), known.row});
    batch.preconditions.push_back({user_key(name, body), std::nullopt});
    StoredPart part = known.part;
    ++part.users;
    put_part(batch, part);
    batch.operations.emplace_back(kv::Put{user_key(name, body), present});
    return commit(store, std::move(batch));
}

Result<bool> add_part(kv::Store& store, const Newest& newest, StoredPart part, std::string framed,
                      const BlobId& body) {
    kv::Batch batch = batch_of(part.name.hash);
    newest.expect_unchanged(batch, part.name.hash);
    batch.preconditions.push_back({part_key(part.name), std::nullopt});
    batch.operations.emplace_back(
        kv::Put{newest_part_key(part.name.hash), kv::RowWriter().id(part.name.id).take()});
    part.users = 1;
    put_part(batch, part);
    batch.operations.emplace_back(kv::Put{user_key(part.name, body), present});
    batch.blobs.push_back({part.blob, std::make_shared<const std::string>(std::move(framed))});
    return commit(store, std::move(batch));
}

// Nothing: it changed meanwhile.
Result<std::optional<Part>> try_to_use(kv::Store& store, std::string_view bytes, std::uint64_t hash,
                                       const BlobId& body) {
    const auto newest = newest_of(store, hash);
    if (!newest) return newest.error();
    PartName name{hash, {}};
    if (newest->row) {
        name.id = kv::RowReader(*newest->row).id();
        const auto known = known_part(store, name);
        if (!known && known.error().code != Errc::corrupt) return known.error();
        const bool is_there = known && *known;
        const auto same = is_there ? holds(store, (*known)->part, bytes) : Result<bool>(false);
        if (!same) return same.error();
        if (*same) {
            const auto added = add_user(store, **known, body);
            if (!added) return added.error();
            // One that was there before may have been let go of meanwhile.
            const auto used = *added ? is_user(store, name, body) : Result<bool>(false);
            if (!used) return used.error();
            return *used ? std::optional<Part>({name, bytes.size()}) : std::nullopt;
        }
    }
    StoredPart part;
    part.blob = store.new_blob_id(shard_of(hash));
    part.size = bytes.size();
    part.name = {hash, part.blob};
    const auto added = add_part(store, *newest, part, encode_frames(bytes, nullptr), body);
    if (!added) return added.error();
    return *added ? std::optional<Part>({part.name, part.size}) : std::nullopt;
}

Error too_fast() {
    return Error{Errc::conflict, "the users of a part change too fast; try again"};
}

// False: it changed meanwhile.
Result<bool> try_to_release(kv::Store& store, const PartName& name, const BlobId& body) {
    const auto user = is_user(store, name, body);
    if (!user) return user.error();
    if (!*user) return true;
    const auto known = known_part(store, name);
    if (!known && known.error().code != Errc::corrupt) return known.error();
    kv::Batch batch = batch_of(name.hash);
    batch.operations.emplace_back(kv::Erase{user_key(name, body)});
    // A part whose row is damaged is repair's; who let go of it need not wait for that.
    if (!known || !*known) return commit(store, std::move(batch));
    batch.preconditions.push_back({part_key(name), (*known)->row});
    batch.preconditions.push_back({user_key(name, body), present});
    StoredPart part = (*known)->part;
    if (part.users > 1) {
        --part.users;
        put_part(batch, part);
        return commit(store, std::move(batch));
    }
    batch.operations.emplace_back(kv::Erase{part_key(name)});
    const auto newest = newest_of(store, name.hash);
    if (!newest) return newest.error();
    if (newest->row && kv::RowReader(*newest->row).id() == name.id) {
        newest->expect_unchanged(batch, name.hash);
        batch.operations.emplace_back(kv::Erase{newest_part_key(name.hash)});
    }
    batch.erased_blobs.push_back(part.blob);
    return commit(store, std::move(batch));
}

// False: it changed meanwhile.
Result<bool> try_to_adopt(kv::Store& store, const Part& part, const std::string& framed,
                          const BlobId& body) {
    const std::uint64_t hash = part.name.hash;
    const auto known = known_part(store, part.name);
    if (!known) return known.error();
    StoredPart fresh;
    fresh.name = part.name;
    fresh.size = part.size;
    fresh.blob = store.new_blob_id(shard_of(hash));
    if (!*known) {
        const auto newest = newest_of(store, hash);
        if (!newest) return newest.error();
        return add_part(store, *newest, fresh, framed, body);
    }
    const auto reads = read_frames(store, (*known)->part.blob, 0, part.size);
    if (!reads && reads.error().code == Errc::unavailable) return reads.error();
    if (reads && reads->size() == part.size) return add_user(store, **known, body);
    kv::Batch batch = batch_of(hash);
    batch.preconditions.push_back({part_key(part.name), (*known)->row});
    fresh.users = (*known)->part.users;
    put_part(batch, fresh);
    batch.blobs.push_back({fresh.blob, std::make_shared<const std::string>(framed)});
    batch.erased_blobs.push_back((*known)->part.blob);
    const auto replaced = commit(store, std::move(batch));
    if (!replaced) return replaced;
    return false;  // now there is one to become a user of
}

}  // namespace

Result<Part> use_part(kv::Store& store, std::string_view bytes, const BlobId& body) {
    const std::uint64_t hash = hash64(bytes);
    for (int attempt = 0; attempt < max_part_attempts; ++attempt) {
        const auto used = try_to_use(store, bytes, hash, body);
        if (!used) return used.error();
        if (*used) return **used;
    }
    return too_fast();
}

Result<void> adopt_part(kv::Store& store, const Part& part, const std::string& framed,
                        const BlobId& body) {
    for (int attempt = 0; attempt < max_part_attempts; ++attempt) {
        const auto adopted = try_to_adopt(store, part, framed, body);
        if (!adopted) return adopted.error();
        if (*adopted) return {};
    }
    return too_fast();
}

Result<void> release_parts(kv::Store& store, const std::vector<Part>& parts, const BlobId& body) {
    for (const Part& part : parts) {
        bool done = false;
        for (int attempt = 0; attempt < max_part_attempts && !done; ++attempt) {
            const auto released = try_to_release(store, part.name, body);
            if (!released) return released.error();
            done = *released;
        }
        if (!done) return too_fast();
    }
    return {};
}

Result<std::string> read_part(kv::Store& store, const PartName& name, std::uint64_t offset,
                              std::uint64_t length) {
    const auto part = find_part(store, name);
    if (!part) return part.error();
    return read_frames(store, part->blob, offset, length);
}

Result<StoredPart> find_part(kv::Store& store, const PartName& name) {
    const auto known = known_part(store, name);
    if (!known) return known.error();
    if (!*known) return Error{Errc::not_found, "a large part of the message is lost"};
    return (*known)->part;
}

Result<bool> is_user(kv::Store& store, const PartName& name, const BlobId& body) {
    const auto row = store.get(shard_of(name.hash), user_key(name, body));
    if (!row) return row.error();
    return row->has_value();
}

Result<bool> recount_users(kv::Store& store, const PartName& name) {
    const auto known = known_part(store, name);
    if (!known) return known.error();
    if (!*known) return false;
    StoredPart part = (*known)->part;
    part.users = 0;
    std::string from = users_prefix(name);
    const std::string to = from + std::string(sizeof(Id128) + 1, '\xff');
    for (bool more = true; more;) {
        const auto page = store.scan(shard_of(name.hash), from, to, kv::max_page_rows);
        if (!page) return page.error();
        part.users += page->rows.size();
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    kv::Batch batch = batch_of(name.hash);
    batch.preconditions.push_back({part_key(name), (*known)->row});
    put_part(batch, part);
    return commit(store, std::move(batch));
}

namespace {

// A part's blob has the part's own id, unless the part came from a backup over a damaged one.
std::optional<StoredPart> part_from_bytes(kv::Store& store, const PartName& name) {
    const auto info = frames_info(source_of(store, name.id));
    if (!info) return std::nullopt;
    const auto bytes = read_frames(store, name.id, 0, info->size);
    if (!bytes || hash64(*bytes) != name.hash) return std::nullopt;
    StoredPart part;
    part.name = name;
    part.blob = name.id;
    part.size = info->size;
    return part;
}

}  // namespace

Result<bool> mend_row(kv::Store& store, const kv::ShardId& shard, std::string_view key) {
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    kv::RowReader reader(key);
    const auto kind = reader.u8();
    PartName name;
    name.hash = reader.u64();
    if (kind == 'h') {
        batch.operations.emplace_back(kv::Erase{std::string(key)});
        return commit(store, std::move(batch));
    }
    if (part_user_of_row(key)) {
        batch.operations.emplace_back(kv::Put{std::string(key), present});
        return commit(store, std::move(batch));
    }
    name.id = reader.id();
    const auto part = kind == 'p' && reader.done() ? part_from_bytes(store, name) : std::nullopt;
    if (!part) return false;
    put_part(batch, *part);
    const auto put = commit(store, std::move(batch));
    return put && *put ? recount_users(store, name) : put;
}

std::vector<kv::ShardId> part_shards() {
    std::vector<kv::ShardId> shards;
    for (std::uint64_t i = 0; i < part_shard_count; ++i) shards.push_back(shard_of(i));
    return shards;
}

std::optional<StoredPart> part_of_row(const kv::Row& row) {
    kv::RowReader key(row.key);
    if (key.u8() != 'p') return std::nullopt;
    PartName name;
    name.hash = key.u64();
    name.id = key.id();
    if (!key.done()) return std::nullopt;
    return decode(name, row.value);
}

std::optional<PartUser> part_user_of_row(std::string_view row_key) {
    kv::RowReader key(row_key);
    if (key.u8() != 'u') return std::nullopt;
    PartUser user;
    user.part.hash = key.u64();
    user.part.id = key.id();
    user.body = key.id();
    if (!key.done()) return std::nullopt;
    return user;
}

}  // namespace postern::blob

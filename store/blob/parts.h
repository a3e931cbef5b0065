// Large parts of messages, such as attachments, each stored once for all bodies that hold it.
//
// A part is the bytes as they stand in the message, still encoded, so that the message reads back
// octet by octet. It is found by a hash, and shared only after its bytes were compared. Users of a
// part are bodies, by id; a part goes with its last user. A crash may leave a user that no body is,
// never a body without its part.
//
//   shard parts:  h hash(8)                     id(16) of the newest part with that hash
//                 p hash(8) id(16)              blob(16) size(varint) users(varint)
//                 u hash(8) id(16) body(16)     that body uses it
//
// Thread rule: any thread but the store engine's; changes wait for durability.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::blob {

struct PartName {
    std::uint64_t hash = 0;
    Id128 id;  // never used again for another part
    auto operator<=>(const PartName&) const = default;
};
struct Part {
    PartName name;
    std::uint64_t size = 0;
};

// Finds the part or stores it, and makes the body a user of it. Again is harmless. Errors:
// conflict, unavailable.
Result<Part> use_part(kv::Store& store, std::string_view bytes, const BlobId& body);
// The same for a part that comes from elsewhere with its name (a backup). One that is there and
// does not read back is replaced.
Result<void> adopt_part(kv::Store& store, const Part& part, const std::string& framed,
                        const BlobId& body);
// The body uses none of them any more; each that has no user left goes. Again is harmless.
Result<void> release_parts(kv::Store& store, const std::vector<Part>& parts, const BlobId& body);

// Errors: not_found, corrupt (the part's bytes are damaged), unavailable.
Result<std::string> read_part(kv::Store& store, const PartName& name, std::uint64_t offset,
                              std::uint64_t length);

// What a part's row says.
struct StoredPart {
    PartName name;
    BlobId blob;
    std::uint64_t size = 0;
    std::uint64_t users = 0;
};
// Errors: not_found, corrupt, unavailable.
Result<StoredPart> find_part(kv::Store& store, const PartName& name);
Result<bool> is_user(kv::Store& store, const PartName& name, const BlobId& body);
// Makes the count of users what the rows of users say. False: it changed meanwhile.
Result<bool> recount_users(kv::Store& store, const PartName& name);
// Writes a row of a part shard anew that does not read back, from what its key and the stored bytes
// say. False: they do not say enough. Errors: unavailable.
Result<bool> mend_row(kv::Store& store, const kv::ShardId& shard, std::string_view key);

std::vector<kv::ShardId> part_shards();
// nullopt: the row is of another kind, or damaged.
std::optional<StoredPart> part_of_row(const kv::Row& row);
struct PartUser {
    PartName part;
    BlobId body;
};
std::optional<PartUser> part_user_of_row(std::string_view key);

}  // namespace postern::blob

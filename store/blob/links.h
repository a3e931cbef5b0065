// Who owns a stored body, so that it goes with its last owner and never before.
//
// A fresh blob belongs to first_owner, whoever stored it, and has no row here: most mail is never
// copied. Once a second owner comes, the row lists all of them. A crash may leave a body that
// nobody owns, never an owner without a body.
//
// Thread rule: any thread but the store engine's; all calls wait for durability.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::blob {

inline constexpr std::size_t max_owners = 3000;  // of one blob: 20 full rows fit in a batch
inline constexpr std::uint64_t first_owner = 1;  // whoever stored the blob, of every blob

struct Ownership {
    BlobId blob;
    std::uint64_t owner = 0;  // first_owner, or chosen by the owner: never 0, distinct for one blob
};

// Adding an owner again is harmless. Errors: limit (max_owners), conflict, unavailable.
Result<void> add_owners(kv::Store& store, const std::vector<Ownership>& owners);

// Takes owners off and drops each body that has none left. Releasing again, or an owner that never
// was one, is harmless.
Result<void> release(kv::Store& store, const std::vector<Ownership>& owners);

// The owners of a blob as its row lists them; first_owner alone when there is none.
Result<std::vector<std::uint64_t>> owners(kv::Store& store, const BlobId& blob);

// The shards that hold those rows, and the blob that a row of them is about.
std::vector<kv::ShardId> link_shards();
BlobId linked_blob(const kv::Row& row);

}  // namespace postern::blob

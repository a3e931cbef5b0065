// Message bodies as stored: compressed in frames (frames.h), so that a range reads only its own.
// Damage shows as Errc::corrupt of that read alone. The first frame, which holds the header and all
// of most messages, is compressed with the store's newest dictionary, where there is one. Large
// parts of a message are stored for themselves, once for all bodies that hold them (parts.h).
//
// Layout: the frames of the body; or, where parts stand outside: version(1) = 3, count(varint), for
// each part how many of the body's other bytes stand between it and the part before (varint),
// hash(8), id(16) and size (varint); then the frames of all other bytes. The lowest bit of such a
// body's id is 1.
//
// Thread rule: any thread; put_parts, settle and drop wait for durability, so not the store
// engine's.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/blob/dictionary.h"
#include "store/blob/frames.h"
#include "store/blob/parts.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::blob {

inline constexpr std::size_t min_part_bytes = 64 * 1024;  // smaller ones stay in the body
inline constexpr std::size_t max_parts_outside = 64;      // of one body; later ones stay in it

// What goes into kv::BlobPut, without a look for parts.
std::string encode(std::string_view body, const Dictionary* dictionary = nullptr);
// With the store's newest dictionary.
std::string encode(kv::Store& store, std::string_view body);

// A body to be stored by a batch of its shard.
struct NewBody {
    BlobId id;
    std::shared_ptr<const std::string> framed;
    std::vector<Part> parts;  // stored already; the body is a user of each
};
// Bodies below min_part_bytes have no parts, and need no waiting. Errors: conflict, unavailable.
Result<NewBody> make_body(kv::Store& store, const kv::ShardId& shard, std::string_view bytes);
// Lets go of the parts unless the body is stored: after a batch that may not have put it. Not after
// an outcome in doubt.
Result<void> settle(kv::Store& store, const NewBody& body);

// The whole body of what encode gave. Without a store none that needs a dictionary or has parts.
// Errors: corrupt, unavailable.
Result<std::string> decode(std::string_view framed, kv::Store* store = nullptr);

// Bytes [offset, offset + length) of the body, fewer at its end. Errors: not_found, corrupt (also
// when its dictionary or a part is lost or damaged, which the text tells), unavailable.
Result<std::string> read(kv::Store& store, const BlobId& id, std::uint64_t offset,
                         std::uint64_t length);

// What the body's header says, without a look at the rest. Errors as read.
struct Info {
    std::uint64_t size = 0;
    DictionaryId dictionary = 0;  // 0: needs none
    std::vector<Part> parts;
};
Result<Info> info(kv::Store& store, const BlobId& id);
Result<std::uint64_t> size(kv::Store& store, const BlobId& id);

// How many bytes those framed ones would be without a dictionary; nullopt: they cannot be read.
std::optional<std::size_t> without_dictionary(kv::Store& store, std::string_view framed);

// The parts that framed bytes lead to. Errors: corrupt.
Result<std::vector<Part>> parts_of(std::string_view framed);
inline bool has_parts(const BlobId& body) {
    return (body.bytes.back() & 1) != 0;
}
// A fresh id for framed bytes that come from elsewhere.
BlobId new_id_for(kv::Store& store, const kv::ShardId& shard, std::string_view framed);

}  // namespace postern::blob

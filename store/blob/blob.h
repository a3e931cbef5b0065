// Message bodies as stored: zstd in independent frames of 64 KiB, so that a range reads only its
// own frames. Each frame carries a checksum: damage shows as Errc::corrupt of that read alone.
//
// Layout: version(1), size(varint), frame count(varint), compressed length of each frame (varint),
// frames.
//
// Thread rule: any thread.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::blob {

inline constexpr std::size_t frame_bytes = 64 * 1024;  // of the body; the last may be shorter

// What goes into kv::BlobPut.
std::string encode(std::string_view body);

// The whole body of what encode gave. Errors: corrupt.
Result<std::string> decode(std::string_view framed);

// Bytes [offset, offset + length) of the body, fewer at its end. Errors: not_found, corrupt,
// unavailable.
Result<std::string> read(kv::Store& store, const BlobId& id, std::uint64_t offset,
                         std::uint64_t length);

// The body's size. Errors as read.
Result<std::uint64_t> size(kv::Store& store, const BlobId& id);

}  // namespace postern::blob

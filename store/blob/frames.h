// One run of bytes as zstd frames of 64 KiB, each with a checksum, of which a range reads only its
// own.
//
// Layout: version(1), dictionary(8, version 2 alone), size(varint), frame count(varint), compressed
// length of each frame (varint), frames.
//
// Thread rule: any thread.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/blob/dictionary.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace postern::blob {

inline constexpr std::size_t frame_bytes = 64 * 1024;  // of the body; the last may be shorter
inline constexpr int compression_level = 3;
inline constexpr std::uint64_t max_body_bytes = std::uint64_t{1} << 40;
// Holds the header of bodies up to 300 MB, and all of most messages.
inline constexpr std::uint64_t first_read_bytes = 16 * 1024;

// Where framed bytes come from: offset and length to bytes. `id` names them in errors.
struct Source {
    kv::Store* store = nullptr;  // for dictionaries; null: none is to be had
    BlobId id;
    std::function<Result<std::string>(std::uint64_t, std::uint64_t)> read;
};
Source source_of(kv::Store& store, const BlobId& id);
Source source_of(std::string_view framed, kv::Store* store);
Error damaged_body(const BlobId& id);

// `dictionary`: of the first frame; null: none.
std::string encode_frames(std::string_view bytes, const Dictionary* dictionary);

// Errors of all: as blob::read.
Result<std::string> read_frames(const Source& source, std::uint64_t offset, std::uint64_t length);
Result<std::string> read_frames(kv::Store& store, const BlobId& id, std::uint64_t offset,
                                std::uint64_t length);
struct FramesInfo {
    std::uint64_t size = 0;
    DictionaryId dictionary = 0;  // 0: needs none
};
Result<FramesInfo> frames_info(const Source& source);

}  // namespace postern::blob

#include "store/blob/frames.h"

#include "store/kv/row_codec.h"

#include <zstd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

namespace postern::blob {

namespace {

constexpr std::uint8_t plain_version = 1;
constexpr std::uint8_t dictionary_version = 2;

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// Making a context costs more than compressing a small message.
ZSTD_CCtx* compressor() {
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context = [] {
        std::unique_ptr<ZSTD_CCtx, FreeContext> made(ZSTD_createCCtx());
        ZSTD_CCtx_setParameter(made.get(), ZSTD_c_compressionLevel, compression_level);
        ZSTD_CCtx_setParameter(made.get(), ZSTD_c_checksumFlag, 1);
        // The blob's header tells it, in a form that is unique.
        ZSTD_CCtx_setParameter(made.get(), ZSTD_c_dictIDFlag, 0);
        return made;
    }();
    return context.get();
}

ZSTD_DCtx* decompressor() {
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    return context.get();
}

struct Header {
    std::uint64_t size = 0;
    DictionaryId dictionary = 0;
    std::vector<std::uint64_t> frame_starts;  // in the blob; one more than there are frames
    std::string first_bytes;
};

Result<Header> read_header(const Source& source) {
    const BlobId& id = source.id;
    auto first = source.read(0, first_read_bytes);
    if (!first) return first.error();
    kv::RowReader reader(*first);
    Header header;
    const std::uint8_t version = reader.u8();
    if (version != plain_version && version != dictionary_version) return damaged_body(id);
    if (version == dictionary_version) header.dictionary = reader.u64();
    header.size = reader.varint();
    const std::uint64_t frames = reader.varint();
    if (!reader.ok() || header.size > max_body_bytes ||
        frames != (header.size + frame_bytes - 1) / frame_bytes) {
        return damaged_body(id);
    }
    std::vector<std::uint64_t> lengths;
    for (std::uint64_t i = 0; i < frames && reader.ok(); ++i) {
        lengths.push_back(reader.varint());
        // No sum of such lengths can wrap.
        if (lengths.back() > ZSTD_compressBound(frame_bytes)) return damaged_body(id);
    }
    if (!reader.ok()) return damaged_body(id);
    std::uint64_t start = first->size() - reader.rest().size();
    for (std::uint64_t length : lengths) {
        header.frame_starts.push_back(start);
        start += length;
    }
    header.frame_starts.push_back(start);
    header.first_bytes = std::move(*first);
    return header;
}

// Bytes [begin, end) of the blob; `read` holds those that the header's did not include.
Result<std::string_view> blob_range(const Source& source, const Header& header, std::uint64_t begin,
                                    std::uint64_t end, std::string& read) {
    if (end <= header.first_bytes.size()) {
        return std::string_view(header.first_bytes).substr(begin, end - begin);
    }
    auto bytes = source.read(begin, end - begin);
    if (!bytes) return bytes.error();
    if (bytes->size() != end - begin) return damaged_body(source.id);
    read = *std::move(bytes);
    return std::string_view(read);
}

// Null: none is needed.
Result<DictionaryPtr> dictionary_for(kv::Store* store, const BlobId& id, const Header& header) {
    if (header.dictionary == 0) return DictionaryPtr();
    if (store == nullptr) return damaged_body(id);
    auto found = Dictionaries::of(*store)->find(header.dictionary);
    if (found || found.error().code == Errc::unavailable) return found;
    return Error{Errc::corrupt,
                 "message body " + to_hex(id) + " cannot be read: its " + found.error().text};
}

// Fills what a frame holds, at most `room` bytes; answers how many, 0 when it is damaged.
std::size_t unpack(std::string_view frame, char* out, std::size_t room,
                   const Dictionary* dictionary) {
    const std::size_t got =
        dictionary == nullptr
            ? ZSTD_decompressDCtx(decompressor(), out, room, frame.data(), frame.size())
            : ZSTD_decompress_usingDDict(decompressor(), out, room, frame.data(), frame.size(),
                                         dictionary->decompressing());
    return ZSTD_isError(got) != 0U ? 0 : got;
}

std::string pack(std::string_view raw, const ZSTD_CDict_s* dictionary) {
    ZSTD_CCtx_refCDict(compressor(), dictionary);  // stays set until the next
    std::string frame(ZSTD_compressBound(raw.size()), '\0');
    frame.resize(ZSTD_compress2(compressor(), frame.data(), frame.size(), raw.data(), raw.size()));
    return frame;
}

}  // namespace

Error damaged_body(const BlobId& id) {
    return Error{Errc::corrupt, "message body " + to_hex(id) + " is damaged"};
}

Source source_of(kv::Store& store, const BlobId& id) {
    return {&store, id, [&store, id](std::uint64_t offset, std::uint64_t length) {
                return store.read_blob(id, offset, length);
            }};
}

Source source_of(std::string_view framed, kv::Store* store) {
    return {store, {}, [framed](std::uint64_t offset, std::uint64_t length) {
                return Result<std::string>(offset < framed.size()
                                               ? std::string(framed.substr(offset, length))
                                               : std::string());
            }};
}

std::string encode_frames(std::string_view body, const Dictionary* dictionary) {
    const ZSTD_CDict_s* shared = dictionary == nullptr ? nullptr : dictionary->compressing();
    std::vector<std::string> frames;
    kv::RowWriter header;
    header.u8(shared == nullptr ? plain_version : dictionary_version);
    if (shared != nullptr) header.u64(dictionary->id());
    header.varint(body.size());
    header.varint((body.size() + frame_bytes - 1) / frame_bytes);
    std::size_t total = 0;
    for (std::size_t begin = 0; begin < body.size(); begin += frame_bytes) {
        frames.push_back(pack(body.substr(begin, frame_bytes), begin == 0 ? shared : nullptr));
        header.varint(frames.back().size());
        total += frames.back().size();
    }
    std::string out = header.take();
    out.reserve(out.size() + total);
    for (const std::string& frame : frames) out += frame;
    return out;
}

Result<std::string> read_frames(const Source& source, std::uint64_t offset, std::uint64_t length) {
    const BlobId& id = source.id;
    const auto header = read_header(source);
    if (!header) return header.error();
    if (offset >= header->size || length == 0) return std::string();
    const std::uint64_t end = offset + std::min(length, header->size - offset);
    const std::uint64_t first = offset / frame_bytes;
    const std::uint64_t last = (end - 1) / frame_bytes;
    std::string beyond_header;
    const auto packed = blob_range(source, *header, header->frame_starts[first],
                                   header->frame_starts[last + 1], beyond_header);
    if (!packed) return packed.error();
    DictionaryPtr dictionary;
    if (first == 0) {
        auto found = dictionary_for(source.store, id, *header);
        if (!found) return found.error();
        dictionary = *std::move(found);
    }
    std::string body(std::min((last + 1) * frame_bytes, header->size) - first * frame_bytes, '\0');
    std::size_t filled = 0;
    for (std::uint64_t frame = first; frame <= last; ++frame) {
        const std::uint64_t start = header->frame_starts[frame] - header->frame_starts[first];
        const std::uint64_t packed_size =
            header->frame_starts[frame + 1] - header->frame_starts[frame];
        const std::size_t got =
            unpack(packed->substr(start, packed_size), body.data() + filled, body.size() - filled,
                   frame == 0 ? dictionary.get() : nullptr);
        if (got == 0) return damaged_body(id);
        filled += got;
    }
    if (filled != body.size()) return damaged_body(id);
    const std::uint64_t skip = offset - first * frame_bytes;
    if (skip == 0 && end - offset == body.size()) return body;
    return body.substr(skip, end - offset);
}

Result<std::string> read_frames(kv::Store& store, const BlobId& id, std::uint64_t offset,
                                std::uint64_t length) {
    return read_frames(source_of(store, id), offset, length);
}

Result<FramesInfo> frames_info(const Source& source) {
    const auto header = read_header(source);
    if (!header) return header.error();
    return FramesInfo{header->size, header->dictionary};
}

}  // namespace postern::blob

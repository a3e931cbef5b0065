#include "store/blob/blob.h"

#include "store/kv/row_codec.h"

#include <zstd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

namespace postern::blob {

namespace {

constexpr std::uint8_t format_version = 1;
constexpr int compression_level = 3;
constexpr std::uint64_t max_body_bytes = std::uint64_t{1} << 40;
// Holds the header of bodies up to 300 MB, and all of most messages.
constexpr std::uint64_t first_read_bytes = 16 * 1024;

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
        return made;
    }();
    return context.get();
}

ZSTD_DCtx* decompressor() {
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    return context.get();
}

Error corrupt(const BlobId& id) {
    return Error{Errc::corrupt, "message body " + to_hex(id) + " is damaged"};
}

struct Header {
    std::uint64_t size = 0;
    std::vector<std::uint64_t> frame_starts;  // in the blob; one more than there are frames
    std::string first_bytes;
};

// Where the bytes of a blob come from: offset and length to bytes.
using Source = std::function<Result<std::string>(std::uint64_t, std::uint64_t)>;

Source source_of(kv::Store& store, const BlobId& id) {
    return [&store, &id](std::uint64_t offset, std::uint64_t length) {
        return store.read_blob(id, offset, length);
    };
}

Result<Header> read_header(const Source& source, const BlobId& id) {
    auto first = source(0, first_read_bytes);
    if (!first) return first.error();
    kv::RowReader reader(*first);
    Header header;
    if (reader.u8() != format_version) return corrupt(id);
    header.size = reader.varint();
    const std::uint64_t frames = reader.varint();
    if (!reader.ok() || header.size > max_body_bytes ||
        frames != (header.size + frame_bytes - 1) / frame_bytes) {
        return corrupt(id);
    }
    std::vector<std::uint64_t> lengths;
    for (std::uint64_t i = 0; i < frames && reader.ok(); ++i) lengths.push_back(reader.varint());
    if (!reader.ok()) return corrupt(id);
    std::uint64_t start = first->size() - reader.rest().size();
    for (std::uint64_t length : lengths) {
        header.frame_starts.push_back(start);
        start += length;
    }
    header.frame_starts.push_back(start);
    header.first_bytes = std::move(*first);
    return header;
}

Result<std::string> blob_range(const Source& source, const BlobId& id, const Header& header,
                               std::uint64_t begin, std::uint64_t end) {
    if (end <= header.first_bytes.size()) return header.first_bytes.substr(begin, end - begin);
    auto bytes = source(begin, end - begin);
    if (bytes && bytes->size() != end - begin) return corrupt(id);
    return bytes;
}

Result<std::string> read_from(const Source& source, const BlobId& id, std::uint64_t offset,
                              std::uint64_t length) {
    const auto header = read_header(source, id);
    if (!header) return header.error();
    if (offset >= header->size || length == 0) return std::string();
    const std::uint64_t end = offset + std::min(length, header->size - offset);
    const std::uint64_t first = offset / frame_bytes;
    const std::uint64_t last = (end - 1) / frame_bytes;
    const auto packed = blob_range(source, id, *header, header->frame_starts[first],
                                   header->frame_starts[last + 1]);
    if (!packed) return packed.error();
    std::string body(std::min((last + 1) * frame_bytes, header->size) - first * frame_bytes, '\0');
    std::size_t filled = 0;
    for (std::uint64_t frame = first; frame <= last; ++frame) {
        const std::uint64_t start = header->frame_starts[frame] - header->frame_starts[first];
        const std::uint64_t packed_size =
            header->frame_starts[frame + 1] - header->frame_starts[frame];
        const std::size_t got =
            ZSTD_decompressDCtx(decompressor(), body.data() + filled, body.size() - filled,
                                packed->data() + start, packed_size);
        if (ZSTD_isError(got) != 0U) return corrupt(id);
        filled += got;
    }
    if (filled != body.size()) return corrupt(id);
    const std::uint64_t skip = offset - first * frame_bytes;
    if (skip == 0 && end - offset == body.size()) return body;
    return body.substr(skip, end - offset);
}

}  // namespace

std::string encode(std::string_view body) {
    std::vector<std::string> frames;
    kv::RowWriter header;
    header.u8(format_version).varint(body.size());
    header.varint((body.size() + frame_bytes - 1) / frame_bytes);
    std::size_t total = 0;
    for (std::size_t begin = 0; begin < body.size(); begin += frame_bytes) {
        const std::string_view raw = body.substr(begin, frame_bytes);
        std::string frame(ZSTD_compressBound(raw.size()), '\0');
        const std::size_t written =
            ZSTD_compress2(compressor(), frame.data(), frame.size(), raw.data(), raw.size());
        frame.resize(written);
        header.varint(written);
        total += written;
        frames.push_back(std::move(frame));
    }
    std::string out = header.take();
    out.reserve(out.size() + total);
    for (const std::string& frame : frames) out += frame;
    return out;
}

Result<std::string> decode(std::string_view framed) {
    const BlobId nameless;
    const Source source = [framed](std::uint64_t offset, std::uint64_t length) {
        return Result<std::string>(
            offset < framed.size() ? std::string(framed.substr(offset, length)) : std::string());
    };
    return read_from(source, nameless, 0, max_body_bytes);
}

Result<std::string> read(kv::Store& store, const BlobId& id, std::uint64_t offset,
                         std::uint64_t length) {
    return read_from(source_of(store, id), id, offset, length);
}

Result<std::uint64_t> size(kv::Store& store, const BlobId& id) {
    const auto header = read_header(source_of(store, id), id);
    if (!header) return header.error();
    return header->size;
}

}  // namespace postern::blob

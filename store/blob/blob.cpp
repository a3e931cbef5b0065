#include "store/blob/blob.h"

#include "store/kv/row_codec.h"

#include <algorithm>
#include <utility>

namespace postern::blob {

namespace {

constexpr std::uint8_t parts_version = 3;

struct Piece {
    std::uint64_t before = 0;  // bytes of the body's own since the last part
    Part part;
};
struct Pieces {
    std::vector<Piece> pieces;
    Source own;  // the frames of the bytes that are no part: all where there is none
};

// Finds regions that look like the content of a MIME part: between an empty line that follows a
// line with "--" at its beginning, and the next such line. What is found need not be one: it only
// has to be found again in another message with the same attachment.
std::vector<std::string_view> large_parts(std::string_view body) {
    std::vector<std::string_view> found;
    std::size_t boundary = body.find("\n--");
    while (boundary != std::string_view::npos && found.size() < max_parts_outside) {
        const std::size_t next = body.find("\n--", boundary + 1);
        const std::string_view section = body.substr(boundary, next - boundary);
        std::size_t begin = section.find("\r\n\r\n");
        const std::size_t bare = section.find("\n\n");
        begin = bare < begin ? bare + 2 : begin == std::string_view::npos ? begin : begin + 4;
        if (begin != std::string_view::npos && section.size() >= begin + min_part_bytes) {
            found.push_back(section.substr(begin));
        }
        boundary = next;
    }
    return found;
}

// With the beginning of the bytes at hand, which is all of most.
Source with_beginning(const Source& source, std::string beginning) {
    const bool whole = beginning.size() < first_read_bytes;
    Source out = source;
    out.read = [whole, beginning = std::move(beginning), read = source.read](std::uint64_t offset,
                                                                             std::uint64_t length) {
        if (!whole && offset + length > beginning.size()) return read(offset, length);
        if (offset >= beginning.size()) return Result<std::string>(std::string());
        return Result<std::string>(beginning.substr(offset, length));
    };
    return out;
}

Result<Pieces> read_pieces(const Source& source) {
    auto first = source.read(0, first_read_bytes);
    if (!first) return first.error();
    Pieces pieces;
    kv::RowReader reader(*first);
    if (reader.u8() != parts_version) {
        pieces.own = with_beginning(source, *std::move(first));
        return pieces;
    }
    const std::uint64_t count = reader.varint();
    if (count == 0 || count > max_parts_outside) return damaged_body(source.id);
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        Piece piece;
        piece.before = reader.varint();
        piece.part.name.hash = reader.u64();
        piece.part.name.id = reader.id();
        piece.part.size = reader.varint();
        if (piece.part.size > max_body_bytes) return damaged_body(source.id);
        pieces.pieces.push_back(piece);
    }
    if (!reader.ok()) return damaged_body(source.id);
    const std::uint64_t skip = first->size() - reader.rest().size();
    pieces.own = with_beginning(source, *std::move(first));
    pieces.own.read = [skip, read = pieces.own.read](std::uint64_t offset, std::uint64_t length) {
        return read(offset + skip, length);
    };
    return pieces;
}

// What a reader still wants, and how far it is in the body.
class Range {
public:
    Range(std::uint64_t offset, std::uint64_t length) : skip_(offset), want_(length) {}
    bool satisfied() const { return want_ == 0; }

    // Takes its share of a stretch of so many bytes, read by read(offset, length).
    template <class Read>
    Result<void> take(std::uint64_t bytes, const BlobId& id, Read read) {
        const std::uint64_t skipped = std::min(skip_, bytes);
        skip_ -= skipped;
        const std::uint64_t wanted = std::min(want_, bytes - skipped);
        if (wanted == 0) return {};
        auto got = read(skipped, wanted);
        if (!got) return got.error();
        if (got->size() != wanted) return damaged_body(id);
        want_ -= wanted;
        if (out_.empty()) {
            out_ = std::move(*got);
        } else {
            out_ += *got;
        }
        return {};
    }
    std::string result() { return std::move(out_); }

private:
    std::uint64_t skip_;
    std::uint64_t want_;
    std::string out_;
};

Result<std::string> read_part_of(const Source& source, const Part& part, std::uint64_t offset,
                                 std::uint64_t length) {
    if (source.store == nullptr) return damaged_body(source.id);
    auto got = read_part(*source.store, part.name, offset, length);
    if (got || got.error().code == Errc::unavailable) return got;
    return Error{Errc::corrupt,
                 "message body " + to_hex(source.id) + " cannot be read: " + got.error().text};
}

Result<std::string> read_pieces_from(const Source& source, const Pieces& pieces,
                                     std::uint64_t offset, std::uint64_t length) {
    const auto own = frames_info(pieces.own);
    if (!own) return own.error();
    std::uint64_t at = 0;  // in the body's own bytes
    Range range(offset, length);
    const auto take_own = [&](std::uint64_t bytes) {
        const std::uint64_t begin = at;
        at += bytes;
        return range.take(bytes, source.id, [&](std::uint64_t from, std::uint64_t count) {
            return read_frames(pieces.own, begin + from, count);
        });
    };
    for (const Piece& piece : pieces.pieces) {
        if (range.satisfied()) break;
        if (piece.before > own->size - at) return damaged_body(source.id);
        auto taken = take_own(piece.before);
        if (taken) {
            taken = range.take(piece.part.size, source.id,
                               [&](std::uint64_t from, std::uint64_t count) {
                                   return read_part_of(source, piece.part, from, count);
                               });
        }
        if (!taken) return taken.error();
    }
    if (!range.satisfied()) {
        const auto taken = take_own(own->size - at);
        if (!taken) return taken.error();
    }
    return range.result();
}

Result<std::string> read_from(const Source& source, std::uint64_t offset, std::uint64_t length) {
    const auto pieces = read_pieces(source);
    if (!pieces) return pieces.error();
    if (pieces->pieces.empty()) return read_frames(pieces->own, offset, length);
    return read_pieces_from(source, *pieces, offset, length);
}

Result<Info> info_from(const Source& source) {
    const auto pieces = read_pieces(source);
    if (!pieces) return pieces.error();
    const auto own = frames_info(pieces->own);
    if (!own) return own.error();
    Info told{own->size, own->dictionary, {}};
    for (const Piece& piece : pieces->pieces) {
        told.size += piece.part.size;
        told.parts.push_back(piece.part);
    }
    return told;
}

}  // namespace

std::string encode(std::string_view body, const Dictionary* dictionary) {
    return encode_frames(body, dictionary);
}

std::string encode(kv::Store& store, std::string_view body) {
    return encode_frames(body, Dictionaries::of(store)->newest().get());
}

Result<NewBody> make_body(kv::Store& store, const kv::ShardId& shard, std::string_view bytes) {
    NewBody body;
    body.id = store.new_blob_id(shard);
    const auto found = large_parts(bytes);
    if (found.empty()) {
        body.framed = std::make_shared<const std::string>(encode(store, bytes));
        return body;
    }
    body.id.bytes.back() |= 1;
    kv::RowWriter pieces;
    std::string own;
    std::size_t at = 0;
    for (const std::string_view content : found) {
        const auto part = use_part(store, content, body.id);
        // Rows of that part are damaged: this message does without it.
        if (!part && part.error().code == Errc::corrupt) continue;
        if (!part) {
            // Best done now, and otherwise by repair.
            static_cast<void>(release_parts(store, body.parts, body.id));
            return part.error();
        }
        const auto begin = static_cast<std::size_t>(content.data() - bytes.data());
        own += bytes.substr(at, begin - at);
        pieces.varint(begin - at).u64(part->name.hash).id(part->name.id).varint(part->size);
        at = begin + content.size();
        body.parts.push_back(*part);
    }
    if (body.parts.empty()) {
        body.id.bytes.back() &= 0xfe;
        body.framed = std::make_shared<const std::string>(encode(store, bytes));
        return body;
    }
    own += bytes.substr(at);
    kv::RowWriter header;
    header.u8(parts_version).varint(body.parts.size());
    body.framed =
        std::make_shared<const std::string>(header.take() + pieces.take() + encode(store, own));
    return body;
}

Result<void> settle(kv::Store& store, const NewBody& body) {
    if (body.parts.empty()) return {};
    const auto there = store.read_blob(body.id, 0, 1);
    if (there) return {};
    if (there.error().code != Errc::not_found) return there.error();
    return release_parts(store, body.parts, body.id);
}

Result<std::string> decode(std::string_view framed, kv::Store* store) {
    return read_from(source_of(framed, store), 0, max_body_bytes);
}

Result<std::string> read(kv::Store& store, const BlobId& id, std::uint64_t offset,
                         std::uint64_t length) {
    return read_from(source_of(store, id), offset, length);
}

Result<Info> info(kv::Store& store, const BlobId& id) {
    return info_from(source_of(store, id));
}

Result<std::uint64_t> size(kv::Store& store, const BlobId& id) {
    const auto told = info(store, id);
    if (!told) return told.error();
    return told->size;
}

std::optional<std::size_t> without_dictionary(kv::Store& store, std::string_view framed) {
    const auto pieces = read_pieces(source_of(framed, &store));
    const auto own = pieces ? frames_info(pieces->own) : Result<FramesInfo>(pieces.error());
    if (!own) return std::nullopt;
    if (own->dictionary == 0) return framed.size();
    const auto first = read_frames(pieces->own, 0, frame_bytes);
    if (!first) return std::nullopt;
    const auto dictionary = Dictionaries::of(store)->find(own->dictionary);
    if (!dictionary) return std::nullopt;
    return framed.size() + encode_frames(*first, nullptr).size() -
           encode_frames(*first, dictionary->get()).size();
}

Result<std::vector<Part>> parts_of(std::string_view framed) {
    const auto told = info_from(source_of(framed, nullptr));
    if (!told) return told.error();
    return told->parts;
}

BlobId new_id_for(kv::Store& store, const kv::ShardId& shard, std::string_view framed) {
    BlobId id = store.new_blob_id(shard);
    if (!framed.empty() && static_cast<std::uint8_t>(framed[0]) == parts_version) {
        id.bytes.back() |= 1;
    }
    return id;
}

}  // namespace postern::blob

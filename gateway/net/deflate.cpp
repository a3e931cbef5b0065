#include "gateway/net/deflate.h"

#include <zlib.h>

#include <array>
#include <cstdint>
#include <new>
#include <utility>

namespace postern::net {

namespace {

// A small window: 10,000 connections shall not need 2.5 GB. 4 KiB is enough for what IMAP repeats.
constexpr int deflate_window_bits = -13;
constexpr int deflate_memory_level = 5;
constexpr int inflate_window_bits = -15;  // the client chooses, up to this

Bytef* bytes_of(std::string_view text) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib does not write there
}

}  // namespace

struct Deflate::Streams {
    z_stream out{};
    z_stream in{};
    std::string rest;      // went in, and was not looked at yet
    bool has_more = false;  // zlib holds output back

    std::string run_out(std::string_view plain, int flush) {
        std::string result;
        std::array<char, inflate_piece_bytes> piece;
        out.next_in = bytes_of(plain);
        out.avail_in = static_cast<uInt>(plain.size());
        do {
            out.next_out = reinterpret_cast<Bytef*>(piece.data());
            out.avail_out = static_cast<uInt>(piece.size());
            if (::deflate(&out, flush) == Z_STREAM_ERROR) break;
            result.append(piece.data(), piece.size() - out.avail_out);
        } while (out.avail_out == 0);
        return result;
    }
};

Deflate::Deflate() : streams_(std::make_unique<Streams>()) {
    const bool good =
        deflateInit2(&streams_->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, deflate_window_bits,
                     deflate_memory_level, Z_DEFAULT_STRATEGY) == Z_OK &&
        inflateInit2(&streams_->in, inflate_window_bits) == Z_OK;
    if (!good) throw std::bad_alloc();
}

Deflate::~Deflate() {
    deflateEnd(&streams_->out);
    inflateEnd(&streams_->in);
}

std::string Deflate::deflate(std::string_view plain) {
    return streams_->run_out(plain, Z_NO_FLUSH);
}

std::string Deflate::finish_piece() {
    return streams_->run_out({}, Z_SYNC_FLUSH);
}

bool Deflate::inflate(std::string_view deflated,
                      const std::function<bool(std::string_view)>& take) {
    z_stream& in = streams_->in;
    std::string before = std::exchange(streams_->rest, std::string());
    if (!before.empty()) deflated = before.append(deflated);
    std::array<char, inflate_piece_bytes> piece;
    in.next_in = bytes_of(deflated);
    in.avail_in = static_cast<uInt>(deflated.size());
    do {
        in.next_out = reinterpret_cast<Bytef*>(piece.data());
        in.avail_out = static_cast<uInt>(piece.size());
        const int result = ::inflate(&in, Z_SYNC_FLUSH);
        if (result != Z_OK && result != Z_BUF_ERROR) return false;
        const std::size_t made = piece.size() - in.avail_out;
        streams_->has_more = in.avail_out == 0;
        if (made > 0 && !take({piece.data(), made})) break;
        if (result == Z_BUF_ERROR && made == 0) break;
    } while (in.avail_in > 0 || streams_->has_more);
    streams_->rest = deflated.substr(deflated.size() - in.avail_in);
    return true;
}

bool Deflate::waiting() const {
    return streams_->has_more || !streams_->rest.empty();
}

}  // namespace postern::net

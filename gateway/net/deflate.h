// Raw DEFLATE both ways for one connection (RFC 4978). Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace postern::net {

inline constexpr std::size_t inflate_piece_bytes = 16 * 1024;

class Deflate {
public:
    Deflate();
    ~Deflate();
    Deflate(const Deflate&) = delete;
    Deflate& operator=(const Deflate&) = delete;

    // May hold bytes back until finish_piece().
    std::string deflate(std::string_view plain);
    std::string finish_piece();
    // Gives what comes out to `take`, piece by piece. False: not a DEFLATE stream, or more than 100
    // times its size comes out of it (a bomb; mail and commands stay far below).
    bool inflate(std::string_view deflated, const std::function<void(std::string_view)>& take);

private:
    struct Streams;
    std::unique_ptr<Streams> streams_;
};

}  // namespace postern::net

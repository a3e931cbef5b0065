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
    // Gives what comes out to `take`, piece by piece, until `take` answers false: what is left is
    // kept and comes first at the next call, which may bring nothing new. So a few bytes that swell
    // to many cost no more memory than the same bytes sent plainly. False: not a DEFLATE stream.
    bool inflate(std::string_view deflated, const std::function<bool(std::string_view)>& take);
    // More can come out without more going in.
    bool waiting() const;

private:
    struct Streams;
    std::unique_ptr<Streams> streams_;
};

}  // namespace postern::net

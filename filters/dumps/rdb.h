// Reads the file that Redis writes of its memory (dump.rdb), as far as hashes go: for each field of
// each hash its key, its name and its value, in the order of the file. Other kinds of values are
// passed over. Source: the format as Redis 2.4 to 7.2 write it (versions 1 to 11), and later ones
// as long as they keep to the same kinds of values.
//
// Pure: bytes come from a function. Memory is bounded by max_rdb_value_bytes, whatever the file
// holds; nothing is read twice.
#pragma once

#include "protocols/base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace postern::filters {

// A longer string, or a hash packed into more, is passed over: statistics have none.
inline constexpr std::size_t max_rdb_value_bytes = 64 * 1024;

bool is_rdb(std::string_view head);

class RdbReader {
public:
    // Up to `most` bytes; fewer only at the end.
    using Read = std::function<std::size_t(char* to, std::size_t most)>;
    using Field =
        std::function<void(std::string_view key, std::string_view field, std::string_view value)>;
    RdbReader(Read read, Field field) : read_(std::move(read)), field_(std::move(field)) {}

    // To the end of the file. Errors: corrupt (cut short, a wrong checksum, no sense), unsupported
    // (a kind of value that is not known, whose length therefore is not either).
    Result<void> run();
    std::uint64_t read_bytes() const { return read_bytes_; }
    // Fields, and packed hashes, that were too long.
    std::uint64_t passed_over() const { return passed_over_; }

private:
    bool fill();
    int byte();
    bool take(char* to, std::size_t size);
    bool skip(std::uint64_t size);
    bool number(std::size_t bytes, std::uint64_t& value);  // little-endian
    bool length(std::uint64_t& value, bool& encoded);
    bool plain_length(std::uint64_t& value);
    // too_long: passed over, `out` is empty.
    bool string(std::string& out, bool& too_long);
    bool skip_string();
    bool skip_strings(std::uint64_t count);
    bool skip_scored(bool binary);
    bool skip_quicklist();
    bool skip_stream(int type);
    bool skip_stream_group(int type);
    bool hash(std::string_view key);
    bool packed_hash(int type, std::string_view key);
    Result<void> value(int type);
    Result<void> end();

    Read read_;
    Field field_;
    std::array<char, 64 * 1024> buffer_{};
    std::size_t at_ = 0;
    std::size_t filled_ = 0;
    std::uint64_t read_bytes_ = 0;
    std::uint64_t passed_over_ = 0;
    std::uint64_t checksum_ = 0;
    int version_ = 0;
};

}  // namespace postern::filters

// Reading and writing the values of rows. Fixed numbers are big endian, so that they sort in keys.
#pragma once

#include "protocols/base/ids.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::kv {

class RowWriter {
public:
    RowWriter& u8(std::uint8_t value);
    RowWriter& u16(std::uint16_t value);
    RowWriter& u32(std::uint32_t value);
    RowWriter& u64(std::uint64_t value);
    RowWriter& varint(std::uint64_t value);        // 7 bits a byte, lowest first
    RowWriter& signed_varint(std::int64_t value);  // zig-zag
    RowWriter& id(const Id128& value);
    RowWriter& bytes(std::string_view value);  // length as varint, then the bytes
    RowWriter& raw(std::string_view value);    // the bytes alone
    std::string take() { return std::move(out_); }
    std::size_t size() const { return out_.size(); }

private:
    std::string out_;
};

// After the first read past the end, or of a malformed varint, ok() is false and every read gives
// zero or an empty value. Views point into the bytes given at construction.
class RowReader {
public:
    explicit RowReader(std::string_view bytes) : rest_(bytes) {}

    std::uint8_t u8();
    std::uint16_t u16();
    std::uint32_t u32();
    std::uint64_t u64();
    std::uint64_t varint();
    std::int64_t signed_varint();
    Id128 id();
    std::string_view bytes();
    std::string_view raw(std::size_t count);
    std::string_view rest();  // all that is left

    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }
    bool done() const { return ok_ && rest_.empty(); }

private:
    std::uint64_t fixed(int count);

    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace postern::kv

#include "store/kv/row_codec.h"

#include <algorithm>

namespace postern::kv {

namespace {

void append_fixed(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        out += static_cast<char>(value >> shift & 0xff);
    }
}

}  // namespace

RowWriter& RowWriter::u8(std::uint8_t value) {
    append_fixed(out_, value, 1);
    return *this;
}

RowWriter& RowWriter::u16(std::uint16_t value) {
    append_fixed(out_, value, 2);
    return *this;
}

RowWriter& RowWriter::u32(std::uint32_t value) {
    append_fixed(out_, value, 4);
    return *this;
}

RowWriter& RowWriter::u64(std::uint64_t value) {
    append_fixed(out_, value, 8);
    return *this;
}

RowWriter& RowWriter::varint(std::uint64_t value) {
    while (value >= 0x80) {
        out_ += static_cast<char>(value | 0x80);
        value >>= 7;
    }
    out_ += static_cast<char>(value);
    return *this;
}

RowWriter& RowWriter::signed_varint(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    return varint(bits << 1 ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

RowWriter& RowWriter::id(const Id128& value) {
    out_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
    return *this;
}

RowWriter& RowWriter::bytes(std::string_view value) {
    return varint(value.size()).raw(value);
}

RowWriter& RowWriter::raw(std::string_view value) {
    out_.append(value);
    return *this;
}

std::uint64_t RowReader::fixed(int count) {
    std::uint64_t value = 0;
    for (char c : raw(static_cast<std::size_t>(count))) {
        value = value << 8 | static_cast<std::uint8_t>(c);
    }
    return value;
}

// Of each row several times: numbers are made of it.
std::uint8_t RowReader::u8() {
    if (rest_.empty()) {
        ok_ = false;
        return 0;
    }
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
}
std::uint16_t RowReader::u16() {
    return static_cast<std::uint16_t>(fixed(2));
}
std::uint32_t RowReader::u32() {
    return static_cast<std::uint32_t>(fixed(4));
}
std::uint64_t RowReader::u64() {
    return fixed(8);
}

std::uint64_t RowReader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const std::uint8_t byte = u8();
        if (shift == 63 && byte > 1) break;
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    rest_ = {};
    return 0;
}

std::int64_t RowReader::signed_varint() {
    const std::uint64_t bits = varint();
    return static_cast<std::int64_t>(bits >> 1 ^ (0 - (bits & 1)));
}

Id128 RowReader::id() {
    Id128 value;
    const std::string_view read = raw(value.bytes.size());
    std::copy(read.begin(), read.end(), value.bytes.begin());
    return value;
}

std::string_view RowReader::bytes() {
    return raw(varint());
}

std::string_view RowReader::raw(std::size_t count) {
    if (!ok_ || count > rest_.size()) {
        ok_ = false;
        rest_ = {};
        return {};
    }
    const std::string_view read = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return read;
}

std::string_view RowReader::rest() {
    return raw(rest_.size());
}

}  // namespace postern::kv

#include "filters/dumps/rdb.h"

#include "filters/dumps/rdb_packed.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace postern::filters {

namespace {

constexpr std::string_view magic = "REDIS";
constexpr std::size_t head_bytes = 9;  // with the version, four digits
constexpr int first_version_with_checksum = 5;

// What begins an entry and is no value.
enum Mark : int {
    slot_info = 0xF4,
    function = 0xF5,
    idle_seconds = 0xF8,
    use_count = 0xF9,
    about = 0xFA,
    table_sizes = 0xFB,
    expires_ms = 0xFC,
    expires_seconds = 0xFD,
    database = 0xFE,
    end_of_file = 0xFF,
};

enum Type : int {
    plain_string = 0,
    list = 1,
    set = 2,
    sorted_set = 3,
    hash_table = 4,
    sorted_set_binary = 5,
    hash_zipmap = 9,
    hash_ziplist = 13,
    quicklist = 14,
    stream = 15,
    hash_listpack = 16,
    quicklist_2 = 18,
    stream_2 = 19,
    stream_3 = 21,
};
// Lists and sets packed into one string.
constexpr std::array<int, 5> packed_types{10, 11, 12, 17, 20};

// CRC-64 of Jones, reflected, as Redis has it.
std::uint64_t crc64(std::uint64_t crc, std::string_view bytes) {
    static const auto table = [] {
        constexpr std::uint64_t polynomial = 0x95AC9329AC4BC9B5ull;
        std::array<std::uint64_t, 256> made{};
        for (std::uint64_t i = 0; i < made.size(); ++i) {
            std::uint64_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value & 1) != 0 ? value >> 1 ^ polynomial : value >> 1;
            }
            made[i] = value;
        }
        return made;
    }();
    for (const char c : bytes) {
        crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ crc >> 8;
    }
    return crc;
}

Error damaged(std::uint64_t at) {
    return Error{Errc::corrupt,
                 "the Redis dump is damaged or cut short at byte " + std::to_string(at)};
}

}  // namespace

bool is_rdb(std::string_view head) {
    return head.size() >= head_bytes && head.starts_with(magic) &&
           std::all_of(head.begin() + magic.size(), head.begin() + head_bytes,
                       [](char c) { return c >= '0' && c <= '9'; });
}

bool RdbReader::fill() {
    if (at_ < filled_) return true;
    at_ = 0;
    filled_ = read_(buffer_.data(), buffer_.size());
    return filled_ > 0;
}

int RdbReader::byte() {
    char c = 0;
    return take(&c, 1) ? static_cast<unsigned char>(c) : -1;
}

bool RdbReader::take(char* to, std::size_t size) {
    while (size > 0) {
        if (!fill()) return false;
        const std::size_t piece = std::min(size, filled_ - at_);
        checksum_ = crc64(checksum_, {buffer_.data() + at_, piece});
        if (to != nullptr) {
            std::memcpy(to, buffer_.data() + at_, piece);
            to += piece;
        }
        at_ += piece;
        read_bytes_ += piece;
        size -= piece;
    }
    return true;
}

bool RdbReader::skip(std::uint64_t size) {
    return take(nullptr, size);
}

bool RdbReader::number(std::size_t bytes, std::uint64_t& value) {
    std::array<char, 8> taken{};
    if (!take(taken.data(), bytes)) return false;
    value = 0;
    for (std::size_t i = bytes; i > 0; --i) {
        value = value << 8 | static_cast<unsigned char>(taken[i - 1]);
    }
    return true;
}

// Two bits tell how long the length is; encoded: what follows is no length but a kind.
bool RdbReader::length(std::uint64_t& value, bool& encoded) {
    const int first = byte();
    if (first < 0) return false;
    encoded = first >> 6 == 3;
    value = static_cast<std::uint64_t>(first & 0x3F);
    if (first >> 6 == 1) {
        const int second = byte();
        value = value << 8 | static_cast<std::uint64_t>(second & 0xFF);
        return second >= 0;
    }
    if (first >> 6 != 2) return true;
    value = 0;
    for (int left = first == 0x80 ? 4 : first == 0x81 ? 8 : -1; left != 0; --left) {
        const int next = left < 0 ? -1 : byte();
        if (next < 0) return false;
        value = value << 8 | static_cast<std::uint64_t>(next);
    }
    return true;
}

bool RdbReader::plain_length(std::uint64_t& value) {
    bool encoded = false;
    return length(value, encoded) && !encoded;
}

bool RdbReader::string(std::string& out, bool& too_long) {
    out.clear();
    too_long = false;
    std::uint64_t size = 0;
    bool encoded = false;
    if (!length(size, encoded)) return false;
    if (!encoded) {
        too_long = size > max_rdb_value_bytes;
        if (too_long) return skip(size);
        out.resize(size);
        return take(out.data(), size);
    }
    if (size <= 2) {
        const std::size_t bytes = std::size_t{1} << size;
        std::uint64_t value = 0;
        if (!number(bytes, value)) return false;
        const std::size_t unused = 64 - bytes * 8;
        out = std::to_string(static_cast<std::int64_t>(value << unused) >> unused);
        return true;
    }
    std::uint64_t packed_size = 0;
    if (size != 3 || !plain_length(packed_size) || !plain_length(size)) return false;
    too_long = size > max_rdb_value_bytes || packed_size > max_rdb_value_bytes;
    if (too_long) return skip(packed_size);
    std::string packed(packed_size, '\0');
    return take(packed.data(), packed_size) && uncompress_lzf(packed, size, out);
}

bool RdbReader::skip_string() {
    std::uint64_t size = 0;
    bool encoded = false;
    if (!length(size, encoded)) return false;
    if (!encoded) return skip(size);
    if (size <= 2) return skip(std::uint64_t{1} << size);
    std::uint64_t packed_size = 0;
    return size == 3 && plain_length(packed_size) && plain_length(size) && skip(packed_size);
}

bool RdbReader::skip_strings(std::uint64_t count) {
    for (; count > 0; --count) {
        if (!skip_string()) return false;
    }
    return true;
}

bool RdbReader::skip_scored(bool binary) {
    constexpr int first_without_text = 0xFD;  // not a number, and both infinities
    std::uint64_t count = 0;
    if (!plain_length(count)) return false;
    for (; count > 0; --count) {
        if (!skip_string()) return false;
        if (binary) {
            if (!skip(sizeof(double))) return false;
            continue;
        }
        const int size = byte();
        if (size < 0 || (size < first_without_text && !skip(static_cast<std::uint64_t>(size)))) {
            return false;
        }
    }
    return true;
}

bool RdbReader::skip_quicklist() {
    std::uint64_t count = 0;
    if (!plain_length(count)) return false;
    for (; count > 0; --count) {
        std::uint64_t container = 0;
        if (!plain_length(container) || !skip_string()) return false;
    }
    return true;
}

bool RdbReader::skip_stream(int type) {
    std::uint64_t count = 0;
    if (!plain_length(count) || count > UINT64_MAX / 2 || !skip_strings(2 * count)) return false;
    // Entries, the last id; from the second kind on the first, the largest deleted, all ever added.
    std::uint64_t ignored = 0;
    for (int i = 0; i < (type == stream ? 3 : 8); ++i) {
        if (!plain_length(ignored)) return false;
    }
    if (!plain_length(count)) return false;
    for (; count > 0; --count) {
        if (!skip_stream_group(type)) return false;
    }
    return true;
}

bool RdbReader::skip_stream_group(int type) {
    constexpr std::uint64_t id_bytes = 16;
    constexpr std::uint64_t time_bytes = 8;
    std::uint64_t count = 0;
    std::uint64_t ignored = 0;
    if (!skip_string()) return false;
    for (int i = 0; i < (type == stream ? 2 : 3); ++i) {
        if (!plain_length(ignored)) return false;
    }
    if (!plain_length(count)) return false;
    for (; count > 0; --count) {
        if (!skip(id_bytes + time_bytes) || !plain_length(ignored)) return false;
    }
    if (!plain_length(count)) return false;
    for (; count > 0; --count) {
        std::uint64_t waiting = 0;
        if (!skip_string() || !skip(type == stream_3 ? 2 * time_bytes : time_bytes) ||
            !plain_length(waiting)) {
            return false;
        }
        for (; waiting > 0; --waiting) {
            if (!skip(id_bytes)) return false;
        }
    }
    return true;
}

bool RdbReader::hash(std::string_view key) {
    std::uint64_t count = 0;
    if (!plain_length(count)) return false;
    std::string name;
    std::string text;
    for (; count > 0; --count) {
        bool name_too_long = false;
        bool text_too_long = false;
        if (!string(name, name_too_long) || !string(text, text_too_long)) return false;
        if (name_too_long || text_too_long) {
            ++passed_over_;
        } else {
            field_(key, name, text);
        }
    }
    return true;
}

bool RdbReader::packed_hash(int type, std::string_view key) {
    std::string packed;
    bool too_long = false;
    if (!string(packed, too_long)) return false;
    if (too_long) {
        ++passed_over_;
        return true;
    }
    std::optional<std::string> name;
    const auto visit = [&](std::string_view entry) {
        if (!name) {
            name = entry;
            return;
        }
        field_(key, *name, entry);
        name.reset();
    };
    const bool whole = type == hash_zipmap    ? for_each_in_zipmap(packed, visit)
                       : type == hash_ziplist ? for_each_in_ziplist(packed, visit)
                                              : for_each_in_listpack(packed, visit);
    return whole && !name;
}

Result<void> RdbReader::value(int type) {
    std::string key;
    bool key_too_long = false;
    if (!string(key, key_too_long)) return damaged(read_bytes_);
    bool done = false;
    std::uint64_t count = 0;
    if (type == hash_table) {
        done = hash(key);
    } else if (type == hash_zipmap || type == hash_ziplist || type == hash_listpack) {
        done = packed_hash(type, key);
    } else if (type == plain_string ||
               std::find(packed_types.begin(), packed_types.end(), type) != packed_types.end()) {
        done = skip_string();
    } else if (type == list || type == set || type == quicklist) {
        done = plain_length(count) && skip_strings(count);
    } else if (type == sorted_set || type == sorted_set_binary) {
        done = skip_scored(type == sorted_set_binary);
    } else if (type == quicklist_2) {
        done = skip_quicklist();
    } else if (type == stream || type == stream_2 || type == stream_3) {
        done = skip_stream(type);
    } else {
        return Error{Errc::unsupported,
                     "the Redis dump holds a value of kind " + std::to_string(type) +
                         ", which is not known here (key " + key.substr(0, 80) +
                         "); give a dump of a Redis that holds rspamd's statistics only"};
    }
    if (!done) return damaged(read_bytes_);
    return {};
}

Result<void> RdbReader::end() {
    if (version_ < first_version_with_checksum) return {};
    const std::uint64_t computed = checksum_;
    std::uint64_t stored = 0;
    if (!number(sizeof stored, stored)) return damaged(read_bytes_);
    if (stored != 0 && stored != computed) {  // 0: Redis was told to leave it out
        return Error{Errc::corrupt, "the Redis dump is damaged: its checksum is wrong"};
    }
    return {};
}

Result<void> RdbReader::run() {
    std::array<char, head_bytes> head{};
    if (!take(head.data(), head.size()) || !is_rdb({head.data(), head.size()})) {
        return Error{Errc::corrupt, "no Redis dump"};
    }
    std::from_chars(head.data() + magic.size(), head.data() + head.size(), version_);
    for (;;) {
        const int mark = byte();
        std::uint64_t ignored = 0;
        bool done = mark >= 0;
        if (mark == end_of_file) return end();
        if (mark == database) {
            done = plain_length(ignored);
        } else if (mark == table_sizes) {
            done = plain_length(ignored) && plain_length(ignored);
        } else if (mark == slot_info) {
            done = plain_length(ignored) && plain_length(ignored) && plain_length(ignored);
        } else if (mark == about) {
            done = skip_strings(2);
        } else if (mark == function) {
            done = skip_string();
        } else if (mark == expires_ms || mark == expires_seconds) {
            done = skip(mark == expires_ms ? 8 : 4);
        } else if (mark == idle_seconds) {
            done = plain_length(ignored);
        } else if (mark == use_count) {
            done = skip(1);
        } else if (mark >= 0) {
            if (auto read = value(mark); !read) return read;
        }
        if (!done) return damaged(read_bytes_);
    }
}

}  // namespace postern::filters

#include "filters/dumps/rdb_packed.h"

#include <cstdint>

namespace postern::filters {

namespace {

// Takes bytes off the front; `ok` turns false where there are too few.
class Bytes {
public:
    explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

    std::string_view take(std::size_t size) {
        if (size > bytes_.size()) {
            ok_ = false;
            return {};
        }
        const std::string_view taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }
    std::uint8_t byte() {
        const auto taken = take(1);
        return taken.empty() ? 0 : static_cast<std::uint8_t>(taken[0]);
    }
    std::uint64_t little_endian(std::size_t size) {
        std::uint64_t value = 0;
        const auto taken = take(size);
        for (std::size_t i = taken.size(); i > 0; --i) {
            value = value << 8 | static_cast<std::uint8_t>(taken[i - 1]);
        }
        return value;
    }
    std::uint64_t big_endian(std::size_t size) {
        std::uint64_t value = 0;
        for (const char c : take(size)) value = value << 8 | static_cast<std::uint8_t>(c);
        return value;
    }
    std::string integer(std::size_t size) { return sign_extended(little_endian(size), size * 8); }

    static std::string sign_extended(std::uint64_t value, std::size_t bits) {
        const std::size_t unused = 64 - bits;
        return std::to_string(static_cast<std::int64_t>(value << unused) >> unused);
    }
    bool ok() const { return ok_; }
    std::size_t left() const { return bytes_.size(); }

private:
    std::string_view bytes_;
    bool ok_ = true;
};

constexpr std::uint8_t last_byte = 0xFF;

// Bytes that the length of a listpack entry takes, which follows it.
std::size_t listpack_back_bytes(std::size_t entry_bytes) {
    std::size_t bytes = 1;
    for (std::size_t rest = entry_bytes >> 7; rest > 0; rest >>= 7) ++bytes;
    return bytes;
}

bool visit_ziplist_entry(Bytes& bytes, std::uint8_t kind, const VisitPacked& visit) {
    if (kind < 0x40) {
        visit(bytes.take(kind));
    } else if (kind < 0x80) {
        const std::size_t size = (kind & 0x3Fu) << 8 | bytes.byte();
        visit(bytes.take(size));
    } else if (kind < 0xC0) {
        visit(bytes.take(bytes.big_endian(4)));
    } else if (kind == 0xC0) {
        visit(bytes.integer(2));
    } else if (kind == 0xD0) {
        visit(bytes.integer(4));
    } else if (kind == 0xE0) {
        visit(bytes.integer(8));
    } else if (kind == 0xF0) {
        visit(bytes.integer(3));
    } else if (kind == 0xFE) {
        visit(bytes.integer(1));
    } else if (kind > 0xF0 && kind < 0xFE) {
        visit(std::to_string(kind - 0xF1));  // 0 to 12
    } else {
        return false;
    }
    return bytes.ok();
}

bool visit_listpack_entry(Bytes& bytes, std::uint8_t kind, const VisitPacked& visit) {
    if (kind < 0x80) {
        visit(std::to_string(kind));
    } else if (kind < 0xC0) {
        visit(bytes.take(kind & 0x3Fu));
    } else if (kind < 0xE0) {
        const std::uint64_t value = (kind & 0x1Fu) << 8 | bytes.byte();
        visit(Bytes::sign_extended(value, 13));
    } else if (kind < 0xF0) {
        const std::size_t size = (kind & 0x0Fu) << 8 | bytes.byte();
        visit(bytes.take(size));
    } else if (kind == 0xF0) {
        visit(bytes.take(bytes.little_endian(4)));
    } else if (kind >= 0xF1 && kind <= 0xF3) {
        visit(bytes.integer(kind - 0xF1u + 2));
    } else if (kind == 0xF4) {
        visit(bytes.integer(8));
    } else {
        return false;
    }
    return bytes.ok();
}

}  // namespace

bool for_each_in_zipmap(std::string_view packed, const VisitPacked& visit) {
    Bytes bytes(packed);
    bytes.byte();  // how many, as far as it fits
    for (bool is_value = false;; is_value = !is_value) {
        std::size_t size = bytes.byte();
        if (!bytes.ok()) return false;
        if (size == last_byte) return !is_value && bytes.left() == 0;
        if (size == 0xFE) size = bytes.little_endian(4);
        const std::size_t unused = is_value ? bytes.byte() : 0;
        visit(bytes.take(size));
        bytes.take(unused);
        if (!bytes.ok()) return false;
    }
}

bool for_each_in_ziplist(std::string_view packed, const VisitPacked& visit) {
    Bytes bytes(packed);
    bytes.take(4 + 4 + 2);  // size, where the last one begins, how many
    for (;;) {
        const std::uint8_t before = bytes.byte();
        if (!bytes.ok()) return false;
        if (before == last_byte) return bytes.left() == 0;
        if (before == 0xFE) bytes.take(4);
        const std::uint8_t kind = bytes.byte();
        if (!bytes.ok() || !visit_ziplist_entry(bytes, kind, visit)) return false;
    }
}

bool for_each_in_listpack(std::string_view packed, const VisitPacked& visit) {
    Bytes bytes(packed);
    bytes.take(4 + 2);  // size, how many
    for (;;) {
        const std::size_t before = bytes.left();
        const std::uint8_t kind = bytes.byte();
        if (!bytes.ok()) return false;
        if (kind == last_byte) return bytes.left() == 0;
        if (!visit_listpack_entry(bytes, kind, visit)) return false;
        bytes.take(listpack_back_bytes(before - bytes.left()));
        if (!bytes.ok()) return false;
    }
}

bool uncompress_lzf(std::string_view packed, std::size_t size, std::string& out) {
    out.clear();
    Bytes bytes(packed);
    while (bytes.left() > 0) {
        const std::size_t control = bytes.byte();
        if (control < 32) {
            out += bytes.take(control + 1);
        } else {
            std::size_t count = control >> 5;
            if (count == 7) count += bytes.byte();
            const std::size_t back = ((control & 0x1F) << 8 | bytes.byte()) + 1;
            if (back > out.size()) return false;
            for (count += 2; count > 0; --count) out += out[out.size() - back];
        }
        if (!bytes.ok() || out.size() > size) return false;
    }
    return out.size() == size;
}

}  // namespace postern::filters

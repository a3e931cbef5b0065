// Message flags (RFC 9051 section 2.3.2): a closed set of system flags, and free keywords.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern {

enum class SystemFlag : std::uint8_t {
    seen = 1,
    answered = 2,
    flagged = 4,
    deleted = 8,
    draft = 16
};
inline constexpr SystemFlag all_system_flags[] = {SystemFlag::seen, SystemFlag::answered,
                                                  SystemFlag::flagged, SystemFlag::deleted,
                                                  SystemFlag::draft};

// Keywords are atoms, compared without regard to ASCII case, kept as first written, sorted, unique.
struct Flags {
    std::uint8_t system = 0;  // SystemFlag values or-ed
    std::vector<std::string> keywords;

    bool has(SystemFlag flag) const { return (system & static_cast<std::uint8_t>(flag)) != 0; }
    void set(SystemFlag flag) { system |= static_cast<std::uint8_t>(flag); }
    void clear(SystemFlag flag) {
        system &= static_cast<std::uint8_t>(~static_cast<std::uint8_t>(flag));
    }
    bool operator==(const Flags&) const = default;
};

// How STORE changes flags (RFC 9051 section 6.4.6).
enum class FlagMode : std::uint8_t { replace, add, remove };

}  // namespace postern

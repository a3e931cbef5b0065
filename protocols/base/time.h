// Time points. Nothing below gateway/ reads a clock: time comes in as a parameter.
#pragma once

#include <chrono>
#include <cstdint>

namespace postern {

// Wall clock, UTC, milliseconds since 1970.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

inline std::int64_t to_unix_ms(Time time) {
    return time.time_since_epoch().count();
}
inline Time from_unix_ms(std::int64_t ms) {
    return Time{std::chrono::milliseconds{ms}};
}

}  // namespace postern

// When to try again, and when to give up.
#pragma once

#include "gateway/config/config.h"
#include "protocols/base/time.h"

#include <cstdint>

namespace postern::outbound {

// After `attempts` (at least 1) that failed for now. The wait doubles from retry_first_s up to
// retry_longest_s; `chance`, 0 to 1, moves it by up to a fifth either way, so that mail that was
// deferred together does not come back together.
Time next_attempt(Time now, std::uint32_t attempts, double chance, const config::Outbound& config);

inline bool is_too_old(Time now, Time queued_at, const config::Outbound& config) {
    return now - queued_at >= std::chrono::seconds(config.give_up_after_s);
}
inline bool is_late(Time now, Time queued_at, const config::Outbound& config) {
    return now - queued_at >= std::chrono::seconds(config.delay_notice_after_s);
}

}  // namespace postern::outbound

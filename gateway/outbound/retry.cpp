#include "gateway/outbound/retry.h"

#include <algorithm>

namespace postern::outbound {

namespace {

constexpr double jitter = 0.2;
constexpr std::uint32_t max_doublings = 30;

}  // namespace

Time next_attempt(Time now, std::uint32_t attempts, double chance, const config::Outbound& config) {
    const std::uint32_t doublings = std::min(attempts > 0 ? attempts - 1 : 0, max_doublings);
    const double wait_s =
        std::min(static_cast<double>(config.retry_first_s) *
                     static_cast<double>(std::uint64_t{1} << doublings),
                 static_cast<double>(std::max(config.retry_first_s, config.retry_longest_s)));
    const double moved_s = wait_s * (1 + jitter * (2 * chance - 1));
    return now + std::chrono::milliseconds(static_cast<std::int64_t>(moved_s * 1000));
}

}  // namespace postern::outbound

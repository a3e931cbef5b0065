#include "gateway/limits/rate_limiter.h"

#include <algorithm>

namespace postern::limits {

bool RateLimiter::take(const std::string& key, const Rate& rate, Clock::time_point now,
                       std::uint64_t count) {
    if (rate.count == 0) return true;
    const double per_ms =
        static_cast<double>(rate.count) / static_cast<double>(rate.period.count());
    std::lock_guard lock(mutex_);
    auto found = buckets_.find(key);
    if (found == buckets_.end()) {
        if (buckets_.size() >= max_keys_) make_room(now);
        found = buckets_.emplace(key, Bucket{0, now, now}).first;
    }
    Bucket& bucket = found->second;
    const std::chrono::duration<double, std::milli> rested = now - bucket.seen;
    bucket.used = std::max(0.0, bucket.used - rested.count() * per_ms);
    bucket.seen = now;
    if (bucket.used + static_cast<double>(count) > static_cast<double>(rate.count)) return false;
    bucket.used += static_cast<double>(count);
    bucket.rested = now + std::chrono::duration_cast<Clock::duration>(
                              std::chrono::duration<double, std::milli>(bucket.used / per_ms));
    return true;
}

void RateLimiter::make_room(Clock::time_point now) {
    std::erase_if(buckets_, [&](const auto& entry) { return entry.second.rested <= now; });
    if (buckets_.size() < max_keys_) return;
    buckets_.erase(std::min_element(buckets_.begin(), buckets_.end(), [](auto& a, auto& b) {
        return a.second.seen < b.second.seen;
    }));
}

std::size_t RateLimiter::size() const {
    std::lock_guard lock(mutex_);
    return buckets_.size();
}

}  // namespace postern::limits

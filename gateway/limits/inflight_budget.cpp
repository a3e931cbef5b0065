#include "gateway/limits/inflight_budget.h"

namespace postern::limits {

bool InflightBudget::Share::grow(std::uint64_t bytes) {
    const auto before = budget_.used_bytes_.fetch_add(bytes);
    if (before + bytes > budget_.max_bytes_) {
        budget_.used_bytes_ -= bytes;
        return false;
    }
    held_bytes_ += bytes;
    return true;
}

void InflightBudget::Share::shrink_to(std::uint64_t bytes) {
    if (bytes >= held_bytes_) return;
    budget_.used_bytes_ -= held_bytes_ - bytes;
    held_bytes_ = bytes;
}

}  // namespace postern::limits

// A set of UIDs taken in ascending pieces, so that no question and no answer grows with the
// mailbox.
#pragma once

#include "protocols/base/uid_set.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace postern::imap {

class Pages {
public:
    Pages() = default;
    explicit Pages(UidSet uids) : uids_(std::move(uids)), size_(uids_.size()) {}

    // The next at most `limit` members; empty when all were taken.
    UidSet next(std::uint64_t limit) {
        UidSet page;
        const std::uint64_t last = std::min(size_, taken_ + limit);
        if (taken_ == last) return page;
        page.add_range(uids_.at(static_cast<UidSet::Value>(taken_ + 1)),
                       uids_.at(static_cast<UidSet::Value>(last)));
        taken_ = last;
        return page &= uids_;
    }

private:
    UidSet uids_;
    std::uint64_t size_ = 0;
    std::uint64_t taken_ = 0;
};

}  // namespace postern::imap

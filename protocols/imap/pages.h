// A set of UIDs taken in ascending pieces, so that no question and no answer grows with the
// mailbox.
#pragma once

#include "protocols/base/uid_set.h"
#include "protocols/imap/command.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace postern::imap {

// The 1-based positions that a PARTIAL names among `count` results, ascending; first > second:
// none.
inline std::pair<std::uint64_t, std::uint64_t> positions_of(const PartialRange& partial,
                                                            std::uint64_t count) {
    const auto all = static_cast<std::int64_t>(count);
    std::int64_t first = partial.first, last = partial.last;
    if (first < 0) {
        first = std::max<std::int64_t>(1, all + 1 + partial.last);
        last = all + 1 + partial.first;
    }
    last = std::min(last, all);
    if (first > last) return {1, 0};
    return {static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last)};
}

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

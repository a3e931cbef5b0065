#include "filters/features/seen_table.h"

#include <algorithm>
#include <array>

namespace postern::filters {

namespace {

constexpr std::uint64_t max_epoch = 0xFFFF;

// Tokens and byte patterns are gathered side by side.
thread_local std::array<SeenTable::Memory, 2> memories;

}  // namespace

SeenTable::SeenTable() : memory_(&own_) {
    for (Memory& each : memories) {
        if (!each.lent) {
            memory_ = &each;
            break;
        }
    }
    memory_->lent = true;
    memory_->words.resize(places);
    words_ = memory_->words.data();
    if (memory_->epoch == max_epoch) {
        std::fill(memory_->words.begin(), memory_->words.end(), 0);
        memory_->epoch = 0;
    }
    epoch_ = ++memory_->epoch << number_bits;
}

SeenTable::~SeenTable() {
    memory_->lent = false;
}

}  // namespace postern::filters

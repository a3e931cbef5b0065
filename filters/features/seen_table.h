// Which numbers of a message were there before: a hash set over memory that the thread keeps, so
// that an empty one need not be wiped for each message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::filters {

// One thread at a time; several may be alive in a thread.
class SeenTable {
public:
    static constexpr std::size_t places = 16384;  // a power of two
    static constexpr std::size_t max_numbers = places / 2;
    static constexpr unsigned number_bits = 48;

    SeenTable();
    ~SeenTable();
    SeenTable(const SeenTable&) = delete;
    SeenTable& operator=(const SeenTable&) = delete;

    // False: it was there. `number` is below 2^number_bits; `hash` spreads the numbers over the
    // places. At most max_numbers may be inserted.
    bool insert(std::uint64_t number, std::size_t hash) {
        const std::uint64_t mine = epoch_ | number;
        // Two places at once, the first of which is taken first, and of each whether it is free or
        // has the number itself: which it will be cannot be foretold, but nearly always it is one.
        for (std::size_t at = hash & (places - 2);; at = (at + 2) & (places - 1)) {
            std::uint64_t* pair = words_ + at;
            const bool first_free = (pair[0] & epoch_mask) != epoch_;
            const bool second_free = (pair[1] & epoch_mask) != epoch_;
            const bool first = first_free | (pair[0] == mine);
            const bool second = second_free | (pair[1] == mine);
            if (first | second) {
                pair[first ? 0 : 1] = mine;
                return first ? first_free : second_free;
            }
        }
    }

    struct Memory {
        std::vector<std::uint64_t> words;  // epoch in the upper bits, number in the lower
        std::uint64_t epoch = 0;
        bool lent = false;
    };

private:
    static constexpr std::uint64_t epoch_mask = ~((std::uint64_t{1} << number_bits) - 1);

    Memory* memory_ = nullptr;
    Memory own_;                      // where the thread's are lent already
    std::uint64_t* words_ = nullptr;  // of memory_
    std::uint64_t epoch_ = 0;
};

}  // namespace postern::filters

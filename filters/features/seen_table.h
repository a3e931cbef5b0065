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
        for (std::size_t at = hash & (places - 1);; at = (at + 1) & (places - 1)) {
            std::uint64_t& word = words_[at];
            // Free or the number itself: one branch, since which of both cannot be foretold.
            const bool is_free = (word & epoch_mask) != epoch_;
            if (is_free | (word == mine)) {
                word = mine;
                return is_free;
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

// Which messages were learned and what that changed, so that learning again changes nothing and
// unlearning takes away exactly what was added. Internal to filters/models.
#pragma once

#include "filters/models/models.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::filters {

inline constexpr std::size_t mixed_inputs = 7;  // see Learner

struct Taught {
    std::uint64_t key = 0;     // of the digest; 0: free
    std::uint32_t number = 0;  // order of learning
    std::uint32_t spam = 0;
    std::int32_t envelope_step = 0;  // added to the weight of each feature of the envelope
    std::int32_t content_step = 0;
    std::int32_t gram_step = 0;
    std::array<std::int32_t, mixed_inputs> mix_steps{};
    std::int32_t trust_step = 0;
    bool operator==(const Taught&) const = default;
};
static_assert(sizeof(Taught) == 64);

// Fixed memory: where a bucket is full, what was learned first is forgotten.
class TaughtTable {
public:
    explicit TaughtTable(std::size_t records);

    Taught* find(std::uint64_t key);
    const Taught* find(std::uint64_t key) const {
        return const_cast<TaughtTable*>(this)->find(key);
    }
    void insert(const Taught& record);
    void erase(Taught& record) { record = Taught{}; }
    const std::vector<Taught>& records() const { return records_; }

private:
    std::size_t begin_of(std::uint64_t key) const;
    std::vector<Taught> records_;
};

}  // namespace postern::filters

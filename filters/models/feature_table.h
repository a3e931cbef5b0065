// Evidence by feature in a fixed amount of memory: counts in ham and spam, and a weight. Internal
// to filters/models.
//
// Four slots share a cache line. When all four are taken the least valuable gives way: the one that
// was seen least often, and longest ago. So old evidence ages as fast as new comes in.
#pragma once

#include "filters/feature_vector.h"
#include "filters/models/large_array.h"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace postern::filters {

struct FeatureSlot {
    std::uint32_t tag = 0;  // the low bits of the hash; 0: free
    std::uint32_t ham : 24 = 0;
    std::uint32_t epoch : 8 = 0;  // when it was last learned
    std::uint32_t spam = 0;
    std::int32_t weight = 0;  // see weight_unit
    bool operator==(const FeatureSlot&) const = default;
};
static_assert(sizeof(FeatureSlot) == 16);

inline constexpr std::size_t bucket_slots = 4;
struct alignas(64) FeatureBucket {
    FeatureSlot slots[bucket_slots];
    bool operator==(const FeatureBucket&) const = default;
};

// Weights are whole multiples of it, so that adding and taking away again leaves nothing behind.
inline constexpr double weight_unit = 1.0 / (1 << 20);
inline constexpr std::uint32_t max_ham_count = (1u << 24) - 1;
// With fewer a slot would not tell its whole hash, see hash_of.
inline constexpr std::size_t min_buckets = 1u << 16;

class FeatureTable {
public:
    explicit FeatureTable(std::size_t buckets);

    struct Found {
        const FeatureSlot& slot;  // of another feature, or of none, where it is not known
        bool known;
    };
    Found look_up(std::uint64_t hash) const {
        const std::uint32_t tag = tag_of(hash);
        const auto& slots = buckets_[bucket_of(hash)].slots;
        // All four at once: which one it is cannot be foretold.
        static_assert(bucket_slots == 4);
        const auto fits = [tag](const FeatureSlot& slot) { return slot.tag == tag ? 1u : 0u; };
        const unsigned three = fits(slots[0]) | fits(slots[1]) << 1 | fits(slots[2]) << 2;
        const FeatureSlot& slot = slots[std::countr_zero(three | 1u << 3)];
        return {slot, slot.tag == tag};
    }
    const FeatureSlot* find(std::uint64_t hash) const {
        const Found found = look_up(hash);
        return found.known ? &found.slot : nullptr;
    }
    FeaturePlaces places() const {
        static_assert(sizeof(FeatureBucket) == FeaturePlaces::place_bytes);
        return {reinterpret_cast<const char*>(buckets_.begin()), buckets_.size()};
    }
    void prefetch(std::uint64_t hash) const { places().fetch(hash); }
    FeatureSlot* find(std::uint64_t hash);
    // The slot of that feature, made when it is not there.
    FeatureSlot& at(std::uint64_t hash, std::uint8_t epoch);
    std::uint64_t used() const { return used_; }
    void note_released() { --used_; }  // a slot was cleared
    std::size_t bucket_count() const { return buckets_.size(); }
    const FeatureBucket& bucket(std::size_t index) const { return buckets_[index]; }
    void scale_weights(double by);
    // The hash that a slot of a table with so many buckets stands for.
    static std::uint64_t hash_of(std::size_t bucket, std::uint32_t tag, std::size_t buckets);

private:
    static std::uint32_t tag_of(std::uint64_t hash) {
        const auto tag = static_cast<std::uint32_t>(hash);
        return tag == 0 ? 2 : tag;
    }
    // Scaled instead of masked: any number of buckets will do.
    std::size_t bucket_of(std::uint64_t hash) const {
        return FeaturePlaces::place_of(hash, buckets_.size());
    }

    LargeArray<FeatureBucket> buckets_;
    std::uint64_t used_ = 0;
};

}  // namespace postern::filters

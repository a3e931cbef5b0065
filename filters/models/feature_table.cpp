#include "filters/models/feature_table.h"

#include <algorithm>
#include <cmath>

namespace postern::filters {

namespace {

std::uint64_t value_of(const FeatureSlot& slot, std::uint8_t epoch) {
    const unsigned age = static_cast<std::uint8_t>(epoch - slot.epoch);
    return (std::uint64_t{slot.ham} + slot.spam) << 16 >> std::min(age, 24u);
}

}  // namespace

FeatureTable::FeatureTable(std::size_t buckets) : buckets_(std::max(buckets, min_buckets)) {}

std::uint64_t FeatureTable::hash_of(std::size_t bucket, std::uint32_t tag, std::size_t buckets) {
    __extension__ using Wide = unsigned __int128;
    // The lowest hash of the bucket; at most 2^32 hashes share it, so that the tag tells which.
    const auto first =
        static_cast<std::uint64_t>(((Wide{bucket} << feature_bits) + buckets - 1) / buckets);
    const std::uint64_t hash = (first & ~std::uint64_t{0xFFFFFFFF}) | tag;
    return hash < first ? hash + (std::uint64_t{1} << 32) : hash;
}

FeatureSlot* FeatureTable::find(std::uint64_t hash) {
    return const_cast<FeatureSlot*>(static_cast<const FeatureTable*>(this)->find(hash));
}

FeatureSlot& FeatureTable::at(std::uint64_t hash, std::uint8_t epoch) {
    if (FeatureSlot* known = find(hash)) return *known;
    FeatureBucket& bucket = buckets_[bucket_of(hash)];
    FeatureSlot* worst = &bucket.slots[0];
    for (FeatureSlot& slot : bucket.slots) {
        if (slot.tag == 0) {
            worst = &slot;
            break;
        }
        if (value_of(slot, epoch) < value_of(*worst, epoch)) worst = &slot;
    }
    if (worst->tag == 0) ++used_;
    *worst = FeatureSlot{};
    worst->tag = tag_of(hash);
    worst->epoch = epoch;
    return *worst;
}

void FeatureTable::scale_weights(double by) {
    for (FeatureBucket& bucket : buckets_) {
        for (FeatureSlot& slot : bucket.slots) {
            slot.weight = static_cast<std::int32_t>(std::lround(slot.weight * by));
        }
    }
}

}  // namespace postern::filters

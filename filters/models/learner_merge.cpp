// The part of Learner that takes in what another one learned.
#include "filters/models/learner.h"

#include <algorithm>
#include <cmath>

namespace postern::filters {

namespace {

constexpr double counted_mix = 0.8;

// The mean of two weights, of which the second has that share.
std::int32_t blend(std::int32_t ours, std::int32_t theirs, double share) {
    return static_cast<std::int32_t>(std::lround(ours * (1 - share) + theirs * share));
}

}  // namespace

// Counts add up; weights are blended by the messages behind them, since two that were learned apart
// would else speak twice. What the other knows of single messages is taken over without their
// steps, so that learning one of them again changes nothing.
bool Learner::merge(const Learner& other, std::uint64_t identity) {
    const std::uint64_t key = identity == 0 ? 1 : identity;
    if (taught_.find(key) != nullptr) return false;
    const double ours = static_cast<double>(ham_ + spam_);
    const double theirs = static_cast<double>(other.ham_ + other.spam_);
    const double share = theirs == 0 ? 0 : theirs / (ours + theirs);
    ++number_;
    merge_counts(other, share);
    merge_grams(other, share);
    for (std::size_t i = 0; i < mixed_inputs; ++i) {
        if (i != from_prior) mix_[i] = blend(mix_[i], other.mix_[i], share);
    }
    for (const Taught& each : other.taught_.records()) {
        if (each.key == 0 || taught_.find(each.key) != nullptr) continue;
        Taught record = each;
        record.number = ++number_;
        record.envelope_step = record.content_step = record.gram_step = record.trust_step = 0;
        record.mix_steps = {};
        taught_.insert(record);
    }
    Taught record;
    record.key = key;
    record.number = ++number_;
    taught_.insert(record);
    ham_ += other.ham_;
    spam_ += other.spam_;
    counted_ += other.counted_;
    return true;
}

bool Learner::add_counts(const Counts& counts) {
    if (taught_.find(counts.identity) != nullptr) return false;
    // Counts speak through naive Bayes alone: as loud as all inputs together would.
    if (ham_ + spam_ == 0) {
        mix_[content_bayes] = static_cast<std::int32_t>(counted_mix / weight_unit);
        mix_[envelope_bayes] = static_cast<std::int32_t>(counted_mix / 2 / weight_unit);
    }
    Taught record;
    record.key = counts.identity;
    record.number = ++number_;
    taught_.insert(record);
    const auto epoch = static_cast<std::uint8_t>(number_ / messages_per_epoch);
    for (const CountedFeature& each : counts.features) {
        FeatureSlot& slot = features_.at(each.hash, epoch);
        slot.ham = std::min<std::uint64_t>(max_ham_count, std::uint64_t{slot.ham} + each.ham);
        slot.spam += each.spam;
        slot.epoch = epoch;
    }
    ham_ += counts.ham;
    spam_ += counts.spam;
    counted_ += counts.ham + counts.spam;
    return true;
}

double Learner::known_words(const FeatureVector& features) const {
    std::size_t all = 0;
    std::size_t known = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(features.tokens, features.hashes.size());
         ++i) {
        if ((features.hashes[i] & content_feature_bit) == 0) continue;
        ++all;
        known += features_.find(features.hashes[i]) != nullptr ? 1 : 0;
    }
    return all == 0 ? 0 : static_cast<double>(known) / static_cast<double>(all);
}

void Learner::merge_counts(const Learner& other, double share) {
    const auto epoch = static_cast<std::uint8_t>(number_ / messages_per_epoch);
    const FeatureTable& theirs = other.features_;
    features_.scale_weights(1 - share);
    for (std::size_t i = 0; i < theirs.bucket_count(); ++i) {
        for (const FeatureSlot& slot : theirs.bucket(i).slots) {
            if (slot.tag == 0) continue;
            FeatureSlot& own =
                features_.at(FeatureTable::hash_of(i, slot.tag, theirs.bucket_count()), epoch);
            own.ham = std::min<std::uint32_t>(max_ham_count, std::uint32_t{own.ham} + slot.ham);
            own.spam += slot.spam;
            own.weight += static_cast<std::int32_t>(std::lround(slot.weight * share));
            own.epoch = epoch;
        }
    }
}

void Learner::merge_grams(const Learner& other, double share) {
    // Both tables have the same size: they are of the same bound.
    for (std::size_t i = 0; i < std::min(grams_.size(), other.grams_.size()); ++i) {
        grams_[i] = blend(grams_[i], other.grams_[i], share);
    }
}

}  // namespace postern::filters

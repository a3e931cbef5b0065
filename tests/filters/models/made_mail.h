// Made mail for tests of the models.
#pragma once

#include "filters/models/models.h"

#include <algorithm>
#include <cstdint>
#include <random>

namespace postern::filters {

inline constexpr std::uint64_t hash_mask = (std::uint64_t{1} << feature_bits) - 1;

inline void add_word(FeatureVector& vector, std::uint64_t seed) {
    std::mt19937_64 hash(seed);
    vector.hashes.push_back((hash() & hash_mask) | 4);
}

inline void finish_words(FeatureVector& vector) {
    std::sort(vector.hashes.begin(), vector.hashes.end());
    vector.hashes.erase(std::unique(vector.hashes.begin(), vector.hashes.end()),
                        vector.hashes.end());
    vector.tokens = static_cast<std::uint32_t>(vector.hashes.size());
}

// A message of words of its class, words that both share, and words of its own.
inline FeatureVector message(std::uint64_t number, bool spam, std::size_t words = 60) {
    std::mt19937_64 random(number * 2 + (spam ? 1 : 0));
    FeatureVector vector;
    for (auto& byte : vector.digest.bytes) byte = static_cast<std::uint8_t>(random());
    for (std::size_t i = 0; i < words; ++i) {
        const std::uint64_t pick = random() % 400;
        if (i % 3 == 0) add_word(vector, 1000 + pick);
        if (i % 3 == 1) add_word(vector, (spam ? 2000 : 3000) + pick);
        if (i % 3 == 2) add_word(vector, random());
    }
    finish_words(vector);
    for (std::uint32_t i = 0; i < 50; ++i) {
        vector.grams.push_back(static_cast<std::uint32_t>((spam ? 7000 : 9000) + random() % 300));
    }
    return vector;
}

inline void teach(Models& models, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
        models.learn(message(i, i % 2 == 0), i % 2 == 0 ? Class::spam : Class::ham);
    }
}

}  // namespace postern::filters

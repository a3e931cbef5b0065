// What the models need of one message; made by extract (filters/features/features.h). Compact and
// bounded, so that a learn job can keep it instead of the message.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

inline constexpr unsigned feature_bits = 48;  // a hash is hash64() >> (64 - feature_bits)
// Set in the hashes of what the sender says (subject, text, links, attachments), clear in those of
// how the message is addressed and travelled: models weigh the two apart.
inline constexpr std::uint64_t content_feature_bit = 1;
inline constexpr std::size_t max_features = 6000;  // tokens and pairs of one message
inline constexpr std::size_t max_grams = 4000;     // byte 4-grams of one message

struct FeatureVector {
    Id128 digest;              // of what the sender wrote: trace headers and ours do not change it
    std::uint32_t tokens = 0;  // the first so many hashes are of single tokens, the rest of pairs
    std::vector<std::uint64_t> hashes;  // unique, each below 2^feature_bits
    std::vector<std::uint32_t> grams;   // byte 4-grams of the raw head: unique
    // Versioned binary, at most max_feature_vector_bytes.
    std::string encode() const;
    // Errors: corrupt (not whole, over a limit, of a newer version).
    static Result<FeatureVector> decode(std::string_view bytes);
    bool operator==(const FeatureVector&) const = default;
};

// Where a table has what it knows of a feature, so that who makes a vector can have it fetched from
// memory meanwhile. Nothing is read by it: it may outlive the table. Empty: none.
struct FeaturePlaces {
    static constexpr char nowhere = 0;
    const char* table = &nowhere;
    std::size_t count = 0;  // places, of place_bytes each, in the order of the hashes
    static constexpr std::size_t place_bytes = 64;
    static std::size_t place_of(std::uint64_t hash, std::size_t places) {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::size_t>(Wide{hash} * places >> feature_bits);
    }
    void fetch(std::uint64_t hash) const {
        __builtin_prefetch(table + place_of(hash, count) * place_bytes);
    }
};

// The same of a table of byte patterns, which has four octets for each.
struct GramPlaces {
    const char* table = &FeaturePlaces::nowhere;
    unsigned bits = 0;  // of the number of places, which is a power of two
    static std::size_t place_of(std::uint32_t gram, unsigned bits) {
        return static_cast<std::size_t>(std::uint64_t{gram * 0x9E3779B1u} >> (32 - bits));
    }
    void fetch(std::uint32_t gram) const { __builtin_prefetch(table + place_of(gram, bits) * 4); }
};

// Of a site's own model and of its prior.
struct ModelPlaces {
    FeaturePlaces own;
    FeaturePlaces prior;
    GramPlaces own_grams;
    GramPlaces prior_grams;
    void fetch(std::uint64_t hash) const {
        own.fetch(hash);
        if (prior.count > 0) prior.fetch(hash);
    }
    void fetch_gram(std::uint32_t gram) const {
        own_grams.fetch(gram);
        if (prior.count > 0) prior_grams.fetch(gram);
    }
};

// Fits one value of the key-value store (64 KiB) with room for what a learn job adds.
inline constexpr std::size_t max_feature_vector_bytes =
    1 + 16 + 3 * 4 + max_features * (feature_bits / 8) + max_grams * 4;

}  // namespace postern::filters

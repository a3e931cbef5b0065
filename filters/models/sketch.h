// How alike two messages are, from a fixed few bytes of each: one-permutation MinHash over the
// features of what the sender says (subject, text, links, attachments).
#pragma once

#include "filters/feature_vector.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace postern::filters {

inline constexpr std::size_t sketch_places = 64;
// With fewer filled places a message says too little for any likeness.
inline constexpr std::size_t min_sketch_places = 12;

struct Sketch {
    std::array<std::uint16_t, sketch_places> places{};  // 0: empty
    bool operator==(const Sketch&) const = default;
};

Sketch sketch_of(const FeatureVector& features);
// The share of all features of both that both have, estimated: 0 to 1, with a standard deviation
// of at most 0.07. 0 where either says too little.
double likeness(const Sketch& a, const Sketch& b);

}  // namespace postern::filters

#include "filters/models/sketch.h"

#include <algorithm>
#include <bit>

namespace postern::filters {

namespace {

static_assert(std::has_single_bit(sketch_places));
constexpr unsigned place_shift = 64 - std::bit_width(sketch_places - 1);

std::size_t filled(const Sketch& sketch) {
    return sketch_places -
           static_cast<std::size_t>(std::count(sketch.places.begin(), sketch.places.end(), 0));
}

}  // namespace

Sketch sketch_of(const FeatureVector& features) {
    Sketch sketch;
    for (const std::uint64_t hash : features.hashes) {
        if ((hash & content_feature_bit) == 0) continue;
        const std::uint64_t spread = hash * 0x9E3779B97F4A7C15ull;
        const auto value = static_cast<std::uint16_t>(spread >> 32 | 1);
        std::uint16_t& place = sketch.places[spread >> place_shift];
        if (place == 0 || value < place) place = value;
    }
    return sketch;
}

double likeness(const Sketch& a, const Sketch& b) {
    if (filled(a) < min_sketch_places || filled(b) < min_sketch_places) return 0;
    std::size_t same = 0;
    std::size_t both_empty = 0;
    for (std::size_t i = 0; i < sketch_places; ++i) {
        const std::uint16_t first = a.places[i];
        const std::uint16_t second = b.places[i];
        same += first == second && first != 0 ? 1 : 0;
        both_empty += (first | second) == 0 ? 1 : 0;
    }
    return static_cast<double>(same) / static_cast<double>(sketch_places - both_empty);
}

}  // namespace postern::filters

// What the counts of one feature say, as naive Bayes takes it. Internal to filters/models.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace postern::filters {

// Messages of each class: that a feature was seen in, or all.
struct ClassCounts {
    std::uint64_t ham = 0;
    std::uint64_t spam = 0;
    bool operator==(const ClassCounts&) const = default;
};

// Log-odds of spam, weighted by how far the feature leans to one side. `all`: both above 0.
double feature_odds(const ClassCounts& seen, const ClassCounts& all);

// The same, remembered: most features of a message have the counts of others, and a logarithm is
// what a score costs most. One thread at a time.
class OddsMemo {
public:
    double of(const ClassCounts& seen, const ClassCounts& all) {
        const std::uint64_t key = (seen.ham << 32 ^ seen.spam) + all.ham * 31 + all.spam * 17;
        Entry& entry = entries_[key * 0x9E3779B97F4A7C15ull >> (64 - place_bits)];
        if (entry.seen != seen || entry.all != all) entry = {seen, all, feature_odds(seen, all)};
        return entry.odds;
    }

private:
    static constexpr unsigned place_bits = 9;
    struct Entry {
        ClassCounts seen;
        ClassCounts all;
        double odds = 0;  // nothing seen in nothing: 0
    };
    std::array<Entry, std::size_t{1} << place_bits> entries_{};
};

}  // namespace postern::filters

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
    // Of all messages that `all` counts.
    class Of {
    public:
        double operator()(std::uint32_t ham, std::uint32_t spam) {
            const std::uint64_t key = std::uint64_t{ham} << 32 | spam;
            Entry& entry = entries_.data()[key * 0x9E3779B97F4A7C15ull >> (64 - place_bits)];
            if (entry.key != key) entry = {key, feature_odds({ham, spam}, all_)};
            return entry.odds;
        }

    private:
        friend OddsMemo;
        static constexpr unsigned place_bits = 11;
        struct Entry {
            std::uint64_t key = 0;
            double odds = 0;  // nothing seen: 0
        };
        ClassCounts all_;
        std::array<Entry, std::size_t{1} << place_bits> entries_{};
    };
    Of& of(const ClassCounts& all) {
        if (memos_[newer_].all_ == all) return memos_[newer_];
        newer_ = 1 - newer_;
        Of& memo = memos_[newer_];
        if (memo.all_ != all) {
            memo.entries_.fill({});
            memo.all_ = all;
        }
        return memo;
    }

private:
    std::array<Of, 2> memos_;  // a message is scored by a site's own model, then by its prior
    std::size_t newer_ = 0;
};

}  // namespace postern::filters

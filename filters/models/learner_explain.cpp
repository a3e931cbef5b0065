// The part of Learner that says which features made a score.
#include "filters/models/learner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace postern::filters {

namespace {

constexpr std::size_t strongest_each_way = 8;
constexpr double infinity = std::numeric_limits<double>::infinity();

// The first few of all that were offered, by an order in which no two are equal.
template <class Item, class Before>
class FirstFew {
public:
    FirstFew(std::size_t limit, Before before) : limit_(limit), before_(before) {}
    void offer(const Item& item) {
        if (size_ == limit_ && (size_ == 0 || !before_(item, items_[size_ - 1]))) return;
        std::size_t at = size_ < limit_ ? size_++ : size_ - 1;
        for (; at > 0 && before_(item, items_[at - 1]); --at) items_[at] = items_[at - 1];
        items_[at] = item;
    }
    // nullptr: there is room for any.
    const Item* last() const { return size_ < limit_ || size_ == 0 ? nullptr : &items_[size_ - 1]; }
    const Item* begin() const { return items_.data(); }
    const Item* end() const { return items_.data() + size_; }

private:
    std::size_t limit_;
    Before before_;
    std::size_t size_ = 0;
    std::array<Item, strongest_each_way> items_{};
};

}  // namespace

// Splits the sum up among the features: their shares, the head's, the prior's and `rest` make it
// up.
void Learner::explain(const FeatureVector& features, const Hits& hits, const Sums& sums,
                      const Inputs& inputs, ModelScore& score) const {
    double per_weight[2];
    double per_odds[2];
    for (std::size_t section = 0; section < 2; ++section) {
        const std::size_t line = section == 0 ? envelope_line : content_line;
        const std::size_t bayes = section == 0 ? envelope_bayes : content_bayes;
        const double weights = sums.weights[section];
        const double odds = sums.odds[section];
        per_weight[section] = weights == 0 ? 0 : mix_[line] * weight_unit * inputs[line] / weights;
        per_odds[section] = odds == 0 ? 0 : mix_[bayes] * weight_unit * inputs[bayes] / odds;
    }
    struct Share {
        double share = 0;
        const Hit* hit = nullptr;
    };
    const auto less = [](const Share& a, const Share& b) {
        return a.share != b.share ? a.share < b.share : a.hit->index < b.hit->index;
    };
    const auto more = [less](const Share& a, const Share& b) { return less(b, a); };
    const std::size_t each = std::min(strongest_each_way, hits.count / 2);
    FirstFew<Share, decltype(less)> lowest(each, less);
    FirstFew<Share, decltype(more)> highest(each, more);
    const std::uint64_t* hashes = features.hashes.data();
    // Most features are between the two.
    double low = infinity;
    double high = -infinity;
    for (const Hit& hit : hits.all()) {
        const std::size_t section = section_of(hashes[hit.index]);
        const double share = hit.weight * per_weight[section] + hit.odds * per_odds[section];
        if ((share > low) & (share < high)) continue;
        lowest.offer({share, &hit});
        highest.offer({share, &hit});
        if (lowest.last() != nullptr) low = lowest.last()->share;
        if (highest.last() != nullptr) high = highest.last()->share;
    }
    const auto take = [&](const Share& one) {
        if (one.share == 0) return;
        score.strongest.push_back(
            {one.hit->index, one.share, one.hit->ham, one.hit->spam});
        score.rest -= one.share;
    };
    score.strongest.reserve(2 * each);
    for (const Share& one : lowest) take(one);
    for (const Share& one : highest) take(one);
    std::sort(score.strongest.begin(), score.strongest.end(),
              [](const auto& a, const auto& b) { return std::abs(a.share) > std::abs(b.share); });
}

}  // namespace postern::filters

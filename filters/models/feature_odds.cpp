#include "filters/models/feature_odds.h"

#include <cmath>

namespace postern::filters {

namespace {
constexpr double unseen_weight = 0.2;  // of the belief that a new feature says nothing
}

double feature_odds(const ClassCounts& seen, const ClassCounts& all) {
    const auto ham = static_cast<double>(seen.ham);
    const auto spam = static_cast<double>(seen.spam);
    const double in_ham = ham / static_cast<double>(all.ham);
    const double in_spam = spam / static_cast<double>(all.spam);
    const double sum = in_ham + in_spam;
    if (sum <= 0) return 0;
    const double times = ham + spam;
    const double p = (unseen_weight * 0.5 + times * in_spam / sum) / (unseen_weight + times);
    const double lean = (in_spam - in_ham) / sum;
    return std::log(p / (1 - p)) * lean * lean;
}

}  // namespace postern::filters

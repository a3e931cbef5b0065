#include "filters/pipeline/thresholds.h"

#include "filters/pipeline/learned.h"

#include <algorithm>
#include <cmath>

namespace postern::filters {

double spam_threshold_for(double ham_loss) {
    const double odds = std::log(default_ham_loss / ham_loss);
    const double threshold = default_spam_threshold + score_per_log_odds * odds;
    return std::max(min_spam_threshold, round_score(threshold));
}

}  // namespace postern::filters

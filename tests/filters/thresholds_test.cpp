#include "filters/pipeline/thresholds.h"

#include "filters/pipeline/learned.h"

#include <gtest/gtest.h>

#include <cmath>

namespace postern::filters {
namespace {

TEST(SpamThreshold, OfTheDefaultLossIsTheDefault) {
    EXPECT_DOUBLE_EQ(spam_threshold_for(default_ham_loss), default_spam_threshold);
}

TEST(SpamThreshold, ATenthOfTheLossWantsOddsTenTimesAsHigh) {
    const double step = score_per_log_odds * std::log(10);
    EXPECT_NEAR(spam_threshold_for(0.01), default_spam_threshold + step, 0.01);
    EXPECT_NEAR(spam_threshold_for(min_ham_loss), default_spam_threshold + 2 * step, 0.01);
}

TEST(SpamThreshold, MoreLossNeverRaisesIt) {
    double last = spam_threshold_for(min_ham_loss);
    for (double loss = min_ham_loss; loss <= max_ham_loss; loss *= 1.1) {
        EXPECT_LE(spam_threshold_for(loss), last);
        last = spam_threshold_for(loss);
    }
}

TEST(SpamThreshold, AMessageOfWhichNothingIsKnownIsNeverSpam) {
    EXPECT_GT(spam_threshold_for(0.49), min_spam_threshold);
    EXPECT_DOUBLE_EQ(spam_threshold_for(max_ham_loss), min_spam_threshold);
    EXPECT_GT(min_spam_threshold * unsure_share, 0);
}

}  // namespace
}  // namespace postern::filters

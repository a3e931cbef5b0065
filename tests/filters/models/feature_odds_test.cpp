#include "filters/models/feature_odds.h"

#include "filters/models/large_array.h"

#include <gtest/gtest.h>

#include <random>

namespace postern::filters {
namespace {

TEST(FeatureOdds, LeanToTheClassAFeatureIsSeenIn) {
    const ClassCounts all{100, 100};
    EXPECT_GT(feature_odds({0, 5}, all), 2);
    EXPECT_LT(feature_odds({5, 0}, all), -2);
    EXPECT_EQ(feature_odds({5, 5}, all), 0);
    EXPECT_EQ(feature_odds({0, 0}, all), 0);
    EXPECT_GT(feature_odds({0, 9}, all), feature_odds({0, 5}, all));
}

TEST(OddsMemo, AnswersAsIfItRememberedNothing) {
    OddsMemo memo;
    EXPECT_EQ(memo.of({3, 4})(0, 0), 0);
    std::mt19937 random(5);
    for (int i = 0; i < 20000; ++i) {
        const ClassCounts all{1000 + random() % 3, 500 + random() % 3};
        const ClassCounts seen{random() % 60, random() % 60};
        const auto ham = static_cast<std::uint32_t>(seen.ham);
        const auto spam = static_cast<std::uint32_t>(seen.spam);
        ASSERT_EQ(memo.of(all)(ham, spam), feature_odds(seen, all));
    }
}

TEST(LargeArray, IsZeroAndHoldsWhatIsWritten) {
    LargeArray<std::uint32_t> array(100000);
    ASSERT_EQ(array.size(), 100000u);
    for (const std::uint32_t each : array) ASSERT_EQ(each, 0u);
    array[99999] = 7;
    EXPECT_EQ(*(array.end() - 1), 7u);
    EXPECT_EQ(LargeArray<std::uint32_t>(0).size(), 0u);
}

}  // namespace
}  // namespace postern::filters

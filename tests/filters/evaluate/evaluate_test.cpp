#include "filters/evaluate/evaluate.h"

#include <cmath>
#include <limits>
#include <random>

namespace postern::filters {
namespace {

TEST(Evaluate, NothingIsNoDivisionByZero) {
    const Metrics metrics = evaluate({});
    EXPECT_EQ(metrics.roc_area_above, 0);
    EXPECT_EQ(metrics.ham_misjudged, 0);
    EXPECT_EQ(metrics.spam_missed_at_01, 0);
}

TEST(Evaluate, PerfectOrder) {
    const Metrics metrics = evaluate({{true, 2, true}, {true, 1, true}, {false, 0, false}});
    EXPECT_EQ(metrics.ham, 1u);
    EXPECT_EQ(metrics.spam, 2u);
    EXPECT_EQ(metrics.roc_area_above, 0);
    EXPECT_EQ(metrics.spam_missed, 0);
    EXPECT_EQ(metrics.spam_missed_at_01, 0);
}

TEST(Evaluate, WorstOrder) {
    const Metrics metrics = evaluate({{true, 0, false}, {false, 1, true}});
    EXPECT_EQ(metrics.roc_area_above, 100);
    EXPECT_EQ(metrics.ham_misjudged, 100);
    EXPECT_EQ(metrics.spam_missed, 100);
    EXPECT_EQ(metrics.spam_missed_at_01, 100);
}

TEST(Evaluate, TieCountsHalf) {
    EXPECT_EQ(evaluate({{true, 1, true}, {false, 1, true}}).roc_area_above, 50);
}

TEST(Evaluate, AreaIsTheShareOfPairsInWrongOrder) {
    std::mt19937 random(7);
    std::vector<Scored> messages;
    for (int i = 0; i < 200; ++i) {
        const bool spam = random() % 3 == 0;
        messages.push_back({spam, static_cast<double>(random() % 50) + (spam ? 20 : 0), false});
    }
    double wrong = 0;
    double pairs = 0;
    for (const Scored& ham : messages) {
        for (const Scored& spam : messages) {
            if (ham.spam || !spam.spam) continue;
            pairs += 1;
            wrong += ham.score > spam.score ? 1 : ham.score == spam.score ? 0.5 : 0;
        }
    }
    EXPECT_NEAR(evaluate(messages).roc_area_above, 100 * wrong / pairs, 1e-9);
}

std::vector<Scored> thousand_ham_and_four_spam() {
    std::vector<Scored> messages;
    for (int i = 0; i < 1000; ++i) messages.push_back({false, static_cast<double>(i), false});
    // Above all ham, above all but one, two, and in the middle.
    for (double score : {5000.0, 998.5, 997.5, 500.5}) messages.push_back({true, score, true});
    return messages;
}

TEST(Evaluate, MissedAtHamLoss) {
    const Metrics metrics = evaluate(thousand_ham_and_four_spam());
    EXPECT_EQ(metrics.spam_missed_at_01, 50);  // one ham of 1,000 may be lost
    EXPECT_EQ(metrics.spam_missed_at_1, 25);
    EXPECT_EQ(spam_missed_at(thousand_ham_and_four_spam(), 0), 75);
    EXPECT_EQ(spam_missed_at(thousand_ham_and_four_spam(), 100), 0);
}

TEST(Evaluate, EqualScoresAreJudgedAlike) {
    // A threshold cannot take the spam without the ham of the same score.
    EXPECT_EQ(spam_missed_at({{true, 1, true}, {false, 1, false}}, 0.1), 100);
}

TEST(Evaluate, LamIsTheLogisticAverage) {
    std::vector<Scored> messages;
    for (int i = 0; i < 100; ++i) messages.push_back({false, 0, i < 1});
    for (int i = 0; i < 100; ++i) messages.push_back({true, 1, i >= 4});
    const auto logit = [](double p) { return std::log(p / (1 - p)); };
    const double mean = (logit(1.5 / 101) + logit(4.5 / 101)) / 2;
    EXPECT_NEAR(evaluate(messages).lam, 100 / (1 + std::exp(-mean)), 1e-9);
}

TEST(Evaluate, NotANumberCountsAsZero) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(evaluate({{true, 1, true}, {false, nan, false}, {true, nan, false}}).roc_area_above,
              25);
}

}  // namespace
}  // namespace postern::filters

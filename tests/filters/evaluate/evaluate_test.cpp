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

// The same order has the same area; with more messages it is known better.
TEST(Evaluate, TheIntervalHoldsTheAreaAndNarrows) {
    double width = 100;
    for (const int size : {40, 400, 4000}) {
        std::mt19937 random(3);
        std::normal_distribution<double> noise;
        std::vector<Scored> messages;
        for (int i = 0; i < size; ++i) {
            const bool spam = i % 3 == 0;
            messages.push_back({spam, noise(random) + (spam ? 2.0 : 0.0), false});
        }
        const double area = evaluate(messages).roc_area_above;
        const Interval interval = roc_area_interval(messages);
        EXPECT_LT(interval.low, area + 0.5) << size;
        EXPECT_GT(interval.high, area) << size;
        EXPECT_LT(interval.high - interval.low, width) << size;
        width = interval.high - interval.low;
    }
    EXPECT_LT(width, 2);
    // The true area of that overlap is Phi(-2 / sqrt 2) = 7.87 %.
}

TEST(Evaluate, AnIntervalOfHardlyAnythingIsEverything) {
    EXPECT_EQ(roc_area_interval({}).high, 100);
    const Interval one = roc_area_interval({{true, 1, true}, {false, 0, false}});
    EXPECT_EQ(one.low, 0);
    EXPECT_EQ(one.high, 100);
    const Interval perfect =
        roc_area_interval({{true, 3, true}, {true, 4, true}, {false, 0, false}, {false, 1, false}});
    EXPECT_GT(perfect.high, 0);
    EXPECT_LT(perfect.high, 100);
}

TEST(Evaluate, MissesAmongTheFirstCountOnlySpam) {
    const std::vector<Scored> stream{
        {true, 0, false}, {false, 0, true}, {true, 0, true}, {true, 0, false}};
    EXPECT_EQ(missed_among_first(stream, 1), 100);
    EXPECT_EQ(missed_among_first(stream, 3), 50);
    EXPECT_NEAR(missed_among_first(stream, 100), 66.667, 0.001);
    EXPECT_EQ(missed_among_first({}, 100), 0);
}

TEST(Evaluate, TheDrawingIsWholeAndItsTitleHarmless) {
    for (const std::size_t size : {0u, 1u, 5u, 1000u}) {
        std::vector<Scored> stream;
        for (std::size_t i = 0; i < size; ++i) {
            stream.push_back({i % 2 == 0, static_cast<double>(i % 7), i % 3 == 0});
        }
        const std::string svg = to_svg(stream, "a<b>&c");
        EXPECT_TRUE(svg.starts_with("<svg ")) << size;
        EXPECT_TRUE(svg.ends_with("</svg>\n")) << size;
        EXPECT_NE(svg.find("a&lt;b&gt;&amp;c"), std::string::npos);
        EXPECT_EQ(svg.find("nan"), std::string::npos);
    }
}

}  // namespace
}  // namespace postern::filters

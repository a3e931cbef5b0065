#include "gateway/outbound/recipient_check.h"

#include <gtest/gtest.h>

namespace postern::outbound {
namespace {

using std::chrono_literals::operator""s;
using Answers = RecipientAnswers;

const smtp::Reply good{250, "2.1.5", "ok"};
const smtp::Reply bad{550, "5.1.1", "nobody"};
const Answers::Clock::time_point start = Answers::Clock::time_point() + std::chrono::hours(1);

TEST(RecipientAnswers, GoodOnesHoldLongerThanRefusals) {
    Answers answers;
    EXPECT_FALSE(answers.fresh("a@b.example", start));
    answers.keep("a@b.example", good, start);
    answers.keep("c@b.example", bad, start);
    EXPECT_EQ(answers.fresh("a@b.example", start + Answers::good_for - 1s)->code, 250);
    EXPECT_FALSE(answers.fresh("a@b.example", start + Answers::good_for));
    EXPECT_EQ(answers.fresh("c@b.example", start + Answers::refused_for - 1s)->code, 550);
    EXPECT_FALSE(answers.fresh("c@b.example", start + Answers::refused_for));
}

TEST(RecipientAnswers, OnlyGoodOnesServeWhileTheServerIsAway) {
    Answers answers;
    answers.keep("a@b.example", good, start);
    answers.keep("c@b.example", bad, start);
    EXPECT_TRUE(answers.old("a@b.example", start + Answers::good_without_server - 1s));
    EXPECT_FALSE(answers.old("a@b.example", start + Answers::good_without_server));
    EXPECT_FALSE(answers.old("c@b.example", start));
}

TEST(RecipientAnswers, AreBounded) {
    Answers answers;
    for (std::size_t i = 0; i < Answers::max_addresses; ++i) {
        answers.keep(std::to_string(i), good, start);
    }
    EXPECT_EQ(answers.size(), Answers::max_addresses);
    answers.keep("7", bad, start);
    EXPECT_EQ(answers.size(), Answers::max_addresses);
    answers.keep("one more", good, start);
    EXPECT_LE(answers.size(), Answers::max_addresses);
    EXPECT_TRUE(answers.fresh("one more", start));
}

TEST(RecipientAnswers, GuessedNamesDoNotDriveOutKnownOnes) {
    Answers answers;
    answers.keep("a@b.example", good, start);
    const auto later = start + Answers::good_for;
    for (std::size_t i = 0; i < Answers::max_addresses; ++i) {
        answers.keep(std::to_string(i), bad, later);
    }
    EXPECT_LE(answers.size(), Answers::max_addresses);
    EXPECT_TRUE(answers.old("a@b.example", later));
}

}  // namespace
}  // namespace postern::outbound

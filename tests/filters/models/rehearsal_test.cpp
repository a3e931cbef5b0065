#include "filters/models/learner.h"
#include "filters/models/models.h"
#include "tests/filters/models/made_mail.h"

#include <gtest/gtest.h>

#include <random>

namespace postern::filters {
namespace {

constexpr std::uint64_t small = min_model_bytes;

// Folders come one class after the other; the last one must not win.
TEST(Rehearsal, TheOrderOfTheClassesHardlyMatters) {
    for (const int order : {0, 1, 2}) {
        const auto models = make_models(small);
        for (std::uint64_t i = 0; i < 320; ++i) {
            const bool spam = order == 0 ? i % 2 == 0 : order == 1 ? i < 160 : i >= 160;
            models->learn(message(i, spam), spam ? Class::spam : Class::ham);
        }
        for (std::uint64_t i = 1000; i < 1050; ++i) {
            EXPECT_GT(models->score(message(i, true)).probability, 0.8) << order;
            EXPECT_LT(models->score(message(i, false)).probability, 0.2) << order;
        }
    }
}

// Reads like spam but for some words that only newsletters have.
FeatureVector newsletter(std::uint64_t number) {
    FeatureVector vector = message(number, true);
    std::mt19937_64 random(number);
    for (int i = 0; i < 10; ++i) add_word(vector, 5000 + random() % 40);
    finish_words(vector);
    return vector;
}

enum class Order { mixed, ham_first, spam_first };

// Mean log-odds of newsletters that were not learned, one in eight of the ham being such.
double newsletters_after(Order order) {
    const auto models = make_models(small);
    for (std::uint64_t i = 0; i < 320; ++i) {
        const bool spam = order == Order::mixed       ? i % 2 == 0
                          : order == Order::ham_first ? i >= 160
                                                      : i < 160;
        const bool looks_like_spam = !spam && i / 2 % 8 == 0;
        models->learn(looks_like_spam ? newsletter(i) : message(i, spam),
                      spam ? Class::spam : Class::ham);
    }
    double sum = 0;
    for (std::uint64_t i = 1000; i < 1050; ++i) sum += models->score(newsletter(i)).log_odds;
    return sum / 50;
}

// While ham alone is known nothing tells which of it will look like spam: it must be remembered all
// the same, for when spam comes.
TEST(Rehearsal, HamThatLooksLikeSpamIsNotForgottenWhereAllHamCameFirst) {
    const double mixed = newsletters_after(Order::mixed);
    EXPECT_NEAR(newsletters_after(Order::ham_first), mixed, 2);
    EXPECT_NEAR(newsletters_after(Order::spam_first), mixed, 2);
}

// By how much the image grows with twenty messages that are easy to tell.
std::size_t growth_with_easy_ham(std::uint64_t spam_lessons) {
    const auto models = make_models(small);
    for (std::uint64_t i = 0; i < 60; ++i) models->learn(message(i, false), Class::ham);
    for (std::uint64_t i = 0; i < spam_lessons; ++i) models->learn(message(i, true), Class::spam);
    const std::size_t before = models->save_own().size();
    for (std::uint64_t i = 0; i < 20; ++i) {
        FeatureVector again = message(i, false);  // all is known of it, but for its digest
        again.digest = message(2000 + i, false).digest;
        models->learn(again, Class::ham);
    }
    return models->save_own().size() - before;
}

TEST(Rehearsal, EasyMessagesAreLeftOutOnceBothClassesAreKnown) {
    const std::size_t one_less = growth_with_easy_ham(lessons_until_hard_shows - 1);
    const std::size_t enough = growth_with_easy_ham(lessons_until_hard_shows);
    EXPECT_GT(one_less, enough + 8 * message(0, false).encode().size());
    EXPECT_EQ(growth_with_easy_ham(lessons_until_hard_shows + 1), enough);
}

// A message that was hard to tell is seen again while others, unlike it, are learned.
TEST(Rehearsal, WhatWasHardIsGoneOverAgain) {
    const auto models = make_models(small);
    teach(*models, 0, 60);
    const FeatureVector hard = message(500, true);  // reads like spam, and is none
    ASSERT_TRUE(models->learn(hard, Class::ham));
    const double once = models->score(hard).log_odds;
    std::mt19937_64 random(3);
    for (std::uint64_t i = 0; i < 160; ++i) {
        FeatureVector other = message(600 + i, false, 0);
        other.grams.clear();
        for (int k = 0; k < 20; ++k) other.hashes.push_back((random() & hash_mask) | 4);
        models->learn(other, i % 2 == 0 ? Class::spam : Class::ham);
    }
    EXPECT_LT(models->score(hard).log_odds, once - 0.1);
}

}  // namespace
}  // namespace postern::filters

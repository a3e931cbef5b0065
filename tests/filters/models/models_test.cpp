#include "filters/models/models.h"

#include "filters/models/feature_table.h"
#include "filters/models/learner.h"
#include "filters/models/taught_table.h"
#include "tests/filters/models/made_mail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <thread>

namespace postern::filters {
namespace {

constexpr std::uint64_t small = min_model_bytes;

TEST(Models, UntaughtKnowNothing) {
    const auto models = make_models(small);
    const ModelScore score = models->score(message(1, true));
    EXPECT_DOUBLE_EQ(score.probability, 0.5);
    EXPECT_EQ(score.log_odds, 0);
    EXPECT_TRUE(score.strongest.empty());
}

TEST(Models, TellTheClassesApart) {
    const auto models = make_models(small);
    teach(*models, 0, 200);
    for (std::uint64_t i = 1000; i < 1040; ++i) {
        EXPECT_GT(models->score(message(i, true)).probability, 0.9) << i;
        EXPECT_LT(models->score(message(i, false)).probability, 0.1) << i;
    }
}

TEST(Models, SharesAddUpToTheLogOdds) {
    const auto models = make_models(small);
    teach(*models, 0, 100);
    for (std::uint64_t i = 500; i < 510; ++i) {
        const ModelScore score = models->score(message(i, i % 2 == 0));
        double sum = score.from_head + score.from_prior + score.rest;
        for (const FeatureShare& each : score.strongest) sum += each.share;
        EXPECT_NEAR(sum, score.log_odds, 1e-9);
        EXPECT_FALSE(score.strongest.empty());
    }
}

TEST(Models, LearningAgainChangesNothing) {
    const auto models = make_models(small);
    teach(*models, 0, 20);
    const std::string before = models->save();
    EXPECT_FALSE(models->learn(message(3, false), Class::ham));
    EXPECT_EQ(models->save(), before);
}

// Counts and steps of a message go exactly; what was gone over again meanwhile stays.
TEST(Models, UnlearningRestoresEveryCountAndNearlyTheScores) {
    const auto models = make_models(small);
    teach(*models, 0, 40);
    const ModelStats before = models->stats();
    std::vector<double> scores;
    for (std::uint64_t i = 300; i < 320; ++i) {
        scores.push_back(models->score(message(i, i % 2 == 0)).log_odds);
    }
    teach(*models, 40, 60);
    for (std::uint64_t i = 60; i-- > 40;) EXPECT_TRUE(models->unlearn(message(i, i % 2 == 0)));
    EXPECT_FALSE(models->unlearn(message(59, false)));
    EXPECT_EQ(models->stats().ham, before.ham);
    EXPECT_EQ(models->stats().spam, before.spam);
    EXPECT_EQ(models->stats().features, before.features);
    for (std::uint64_t i = 300; i < 320; ++i) {
        EXPECT_NEAR(models->score(message(i, i % 2 == 0)).log_odds, scores[i - 300],
                    20 * max_rehearsal_drift);
    }
}

TEST(Models, UnlearningAtOnceMovesNoScoreByMoreThanTheBound) {
    const auto models = make_models(small);
    teach(*models, 0, 40);
    for (std::uint64_t i = 40; i < 60; ++i) {
        const FeatureVector probe = message(i + 300, i % 3 == 0);
        const double before = models->score(probe).log_odds;
        EXPECT_TRUE(models->learn(message(i, i % 2 == 0), Class::ham));
        EXPECT_TRUE(models->unlearn(message(i, i % 2 == 0)));
        EXPECT_NEAR(models->score(probe).log_odds, before, max_rehearsal_drift);
    }
}

TEST(Models, RelearningMovesAMessageToTheOtherClass) {
    const auto models = make_models(small);
    teach(*models, 0, 40);
    const FeatureVector wrong = message(77, true);
    EXPECT_TRUE(models->learn(wrong, Class::ham));
    EXPECT_TRUE(models->learn(wrong, Class::spam));
    EXPECT_EQ(models->stats().ham, 20u);
    EXPECT_EQ(models->stats().spam, 21u);
    EXPECT_GT(models->score(wrong).probability, 0.9);
}

TEST(Models, AnImageCarriesEverything) {
    const auto models = make_models(small);
    teach(*models, 0, 60);
    const auto other = make_models(small);
    ASSERT_TRUE(other->load(models->save()).has_value());
    EXPECT_EQ(other->save(), models->save());
    EXPECT_FALSE(other->learn(message(3, false), Class::ham));
    EXPECT_TRUE(other->unlearn(message(3, false)));
}

TEST(Models, AnImageFitsAnotherSize) {
    const auto models = make_models(32 * 1024 * 1024);
    teach(*models, 0, 60);
    for (std::uint64_t bytes : {small, std::uint64_t{100} << 20}) {
        const auto other = make_models(bytes);
        ASSERT_TRUE(other->load(models->save()).has_value());
        EXPECT_EQ(other->stats().features, models->stats().features);
        const FeatureVector probe = message(900, true);
        EXPECT_NEAR(other->score(probe).log_odds, models->score(probe).log_odds, 0.5);
    }
}

TEST(Models, DamagedImagesAreRefusedAndLeaveTheModelsAlone) {
    const auto models = make_models(small);
    teach(*models, 0, 20);
    const std::string image = models->save();
    for (std::size_t size : {std::size_t{0}, std::size_t{8}, std::size_t{31}, image.size() - 1}) {
        EXPECT_FALSE(models->load(image.substr(0, size)).has_value()) << size;
    }
    std::string flipped = image;
    flipped[image.size() / 2] ^= 1;
    ASSERT_FALSE(models->load(flipped).has_value());
    EXPECT_EQ(models->load(flipped).error().code, Errc::corrupt);
    ASSERT_FALSE(models->load("PM0 something old").has_value());
    EXPECT_EQ(models->load("PM0 something old").error().code, Errc::unsupported);
    EXPECT_EQ(models->save(), image);
}

TEST(Models, APriorHelpsAtOnceAndIsOverruled) {
    const auto elsewhere = make_models(small);
    teach(*elsewhere, 0, 200);
    const auto models = make_models(small);
    ASSERT_TRUE(models->set_prior(elsewhere->save()).has_value());
    EXPECT_EQ(models->stats().prior_ham, 100u);
    EXPECT_GT(models->score(message(700, true)).probability, 0.8);
    // Here it is the other way round.
    for (std::uint64_t i = 1000; i < 1300; ++i) {
        models->learn(message(i, i % 2 == 0), i % 2 == 0 ? Class::ham : Class::spam);
    }
    EXPECT_LT(models->score(message(701, true)).probability, 0.2);
    const auto again = make_models(small);
    ASSERT_TRUE(again->load(models->save()).has_value());
    EXPECT_EQ(again->stats().prior_spam, 100u);
}

TEST(Models, APriorsWordForHamCountsHalf) {
    const auto elsewhere = make_models(small);
    teach(*elsewhere, 0, 200);
    const auto models = make_models(small);
    ASSERT_TRUE(models->set_prior(elsewhere->save()).has_value());
    const ModelScore spam = models->score(message(700, true));
    ASSERT_GT(spam.from_prior, 0);
    EXPECT_DOUBLE_EQ(spam.voiced(), spam.prior_voice * spam.from_prior);
    const ModelScore ham = models->score(message(700, false));
    ASSERT_LT(ham.from_prior, 0);
    EXPECT_DOUBLE_EQ(ham.voiced(), prior_word_for_ham * ham.prior_voice * ham.from_prior);
}

TEST(Models, APriorThatErrsIsTrustedLessAndUnlearningRestoresTheTrust) {
    const auto elsewhere = make_models(small);
    teach(*elsewhere, 0, 200);
    const auto models = make_models(small);
    ASSERT_TRUE(models->set_prior(elsewhere->save()).has_value());
    const double before = models->stats().prior_trust;
    EXPECT_GT(before, 0.5);
    for (std::uint64_t i = 1000; i < 1006; ++i) {
        models->learn(message(i, i % 2 == 0), i % 2 == 0 ? Class::ham : Class::spam);
    }
    EXPECT_LT(models->stats().prior_trust, 0.1);
    for (std::uint64_t i = 1006; i-- > 1000;) EXPECT_TRUE(models->unlearn(message(i, i % 2 == 0)));
    EXPECT_DOUBLE_EQ(models->stats().prior_trust, before);
    for (std::uint64_t i = 1000; i < 1030; ++i) {
        models->learn(message(i, i % 2 == 0), i % 2 == 0 ? Class::spam : Class::ham);
    }
    EXPECT_GT(models->stats().prior_trust, 0.99);
}

// A gateway that is started again loads its own part and then the prior that it had.
TEST(Models, TrustIsKeptForTheSamePriorOnly) {
    const auto elsewhere = make_models(small);
    teach(*elsewhere, 0, 200);
    const std::string prior = elsewhere->save();
    const auto models = make_models(small);
    ASSERT_TRUE(models->set_prior(prior).has_value());
    const double first = models->stats().prior_trust;
    teach(*models, 1000, 1030);
    const double earned = models->stats().prior_trust;
    EXPECT_GT(earned, first);

    const auto again = make_models(small);
    ASSERT_TRUE(again->load(models->save_own()).has_value());
    EXPECT_EQ(again->stats().prior_ham, 0u);
    ASSERT_TRUE(again->set_prior(prior).has_value());
    EXPECT_DOUBLE_EQ(again->stats().prior_trust, earned);
    const FeatureVector probe = message(2000, true);
    EXPECT_DOUBLE_EQ(again->score(probe).log_odds, models->score(probe).log_odds);

    teach(*elsewhere, 200, 202);
    ASSERT_TRUE(again->set_prior(elsewhere->save()).has_value());
    EXPECT_DOUBLE_EQ(again->stats().prior_trust, first);
    ASSERT_TRUE(again->set_prior({}).has_value());
    EXPECT_EQ(again->stats().prior_ham, 0u);
}

// Mail unlike the prior's is judged as if there were none.
TEST(Models, APriorOfOtherMailIsNotHeard) {
    const auto elsewhere = make_models(small);
    teach(*elsewhere, 0, 200);
    const auto models = make_models(small);
    ASSERT_TRUE(models->set_prior(elsewhere->save()).has_value());
    FeatureVector other = message(3000, true);
    for (std::uint64_t i = 0; i < 600; ++i) other.hashes.push_back(i * 8 + 2);
    const ModelScore score = models->score(other);
    EXPECT_EQ(score.from_prior, 0);
    EXPECT_EQ(score.prior_voice, 0);
    EXPECT_EQ(score.voiced(), 0);
}

TEST(Models, AFewLessonsSpeakWithALowVoice) {
    const auto models = make_models(small);
    teach(*models, 0, 4);
    const ModelScore score = models->score(message(100, true));
    EXPECT_LT(score.own_voice, 0.15);
    EXPECT_LT(std::abs(score.voiced()), std::abs(score.log_odds) * 0.15);
    EXPECT_EQ(voice_of(0, 1000, 1000), 0);
    EXPECT_DOUBLE_EQ(voice_of(40, 1000, 25), 0.25);
}

TEST(Models, SharesLeftOutAreInTheRest) {
    const auto models = make_models(small);
    teach(*models, 0, 100);
    const ModelScore kept = models->score(message(500, true));
    const ModelScore left_out = models->score(message(500, true), Shares::left_out);
    EXPECT_TRUE(left_out.strongest.empty());
    EXPECT_DOUBLE_EQ(left_out.log_odds, kept.log_odds);
    EXPECT_NEAR(left_out.from_head + left_out.from_prior + left_out.rest, kept.log_odds, 1e-9);
}

TEST(Models, MergingAddsWhatAnotherLearned) {
    const auto ours = make_models(small);
    const auto theirs = make_models(small);
    teach(*ours, 0, 60);
    teach(*theirs, 60, 160);
    const std::string image = theirs->save();
    ASSERT_TRUE(ours->merge(image).value());
    EXPECT_EQ(ours->stats().ham, 80u);
    EXPECT_EQ(ours->stats().spam, 80u);
    EXPECT_GE(ours->stats().features, theirs->stats().features);
    for (std::uint64_t i = 1000; i < 1040; ++i) {
        EXPECT_GT(ours->score(message(i, true)).probability, 0.8) << i;
        EXPECT_LT(ours->score(message(i, false)).probability, 0.2) << i;
    }
    // Once more, or one of its messages: nothing new.
    const std::string before = ours->save();
    EXPECT_FALSE(ours->merge(image).value());
    EXPECT_TRUE(ours->knows(message(100, true)));
    EXPECT_FALSE(ours->learn(message(100, true), Class::spam));
    EXPECT_EQ(ours->save(), before);
    EXPECT_EQ(ours->merge("PM0 nonsense").error().code, Errc::unsupported);
}

TEST(Models, MemoryStaysWhereItIs) {
    const auto models = make_models(small);
    const std::uint64_t bytes = models->stats().bytes;
    EXPECT_LE(bytes, small);
    for (std::uint64_t i = 0; i < 400; ++i) {
        models->learn(message(i, i % 2 == 0, 3000), i % 2 == 0 ? Class::spam : Class::ham);
    }
    EXPECT_EQ(models->stats().bytes, bytes);
    EXPECT_LE(models->stats().features * sizeof(FeatureSlot), bytes);
}

TEST(Models, ScoreWhileLearning) {
    const auto models = make_models(small);
    std::atomic<bool> done{false};
    std::thread reader([&] {
        while (!done) EXPECT_TRUE(std::isfinite(models->score(message(5000, true)).log_odds));
    });
    teach(*models, 0, 100);
    done = true;
    reader.join();
    EXPECT_EQ(models->stats().ham + models->stats().spam, 100u);
}

TEST(FeatureTable, PlaceAndTagTellTheHash) {
    std::mt19937_64 random(7);
    for (std::size_t buckets : {min_buckets, std::size_t{1'703'936}}) {
        FeatureTable table(buckets);
        for (int i = 0; i < 1000; ++i) {
            const std::uint64_t hash = random() & hash_mask;
            table.at(hash, 0).spam = 1;
            const FeatureSlot* slot = table.find(hash);
            ASSERT_NE(slot, nullptr);
            const auto bucket =
                static_cast<std::size_t>(slot - table.bucket(0).slots) / bucket_slots;
            EXPECT_EQ(FeatureTable::hash_of(bucket, slot->tag, table.bucket_count()), hash);
        }
    }
}

TEST(FeatureTable, TheLeastAndOldestGivesWay) {
    FeatureTable table(min_buckets);
    for (std::uint64_t i = 1; i <= bucket_slots; ++i) {
        table.at(i, 10).spam = i == 2 ? 1 : 5;
    }
    table.at(100, 10).spam = 3;
    EXPECT_EQ(table.find(2), nullptr);
    EXPECT_NE(table.find(1), nullptr);
    EXPECT_EQ(table.used(), bucket_slots);
}

TEST(TaughtTable, TheFirstIsForgottenWhenABucketIsFull) {
    TaughtTable table(8);
    for (std::uint32_t i = 1; i <= 9; ++i) {
        Taught record;
        record.key = i;
        record.number = i;
        table.insert(record);
    }
    EXPECT_EQ(table.find(1), nullptr);
    EXPECT_NE(table.find(2), nullptr);
    EXPECT_NE(table.find(9), nullptr);
}

}  // namespace
}  // namespace postern::filters

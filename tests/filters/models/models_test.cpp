#include "filters/models/models.h"

#include "filters/models/feature_table.h"
#include "filters/models/learner.h"
#include "filters/models/taught_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <thread>

namespace postern::filters {
namespace {

constexpr std::uint64_t small = min_model_bytes;
constexpr std::uint64_t hash_mask = (std::uint64_t{1} << feature_bits) - 1;

// A message of words of its class, words that both share, and words of its own.
FeatureVector message(std::uint64_t number, bool spam, std::size_t words = 60) {
    std::mt19937_64 random(number * 2 + (spam ? 1 : 0));
    FeatureVector vector;
    for (auto& byte : vector.digest.bytes) byte = static_cast<std::uint8_t>(random());
    const auto add = [&](std::uint64_t seed) {
        std::mt19937_64 hash(seed);
        vector.hashes.push_back((hash() & hash_mask) | 4);
    };
    for (std::size_t i = 0; i < words; ++i) {
        const std::uint64_t pick = random() % 400;
        if (i % 3 == 0) add(1000 + pick);
        if (i % 3 == 1) add((spam ? 2000 : 3000) + pick);
        if (i % 3 == 2) add(random());
    }
    std::sort(vector.hashes.begin(), vector.hashes.end());
    vector.hashes.erase(std::unique(vector.hashes.begin(), vector.hashes.end()),
                        vector.hashes.end());
    vector.tokens = static_cast<std::uint32_t>(vector.hashes.size());
    for (std::uint32_t i = 0; i < 50; ++i) {
        vector.grams.push_back(static_cast<std::uint32_t>((spam ? 7000 : 9000) + random() % 300));
    }
    return vector;
}

void teach(Models& models, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
        models.learn(message(i, i % 2 == 0), i % 2 == 0 ? Class::spam : Class::ham);
    }
}

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

// Folders come one class after the other; the last one must not win.
TEST(Models, TheOrderOfTheClassesHardlyMatters) {
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

TEST(Models, UnlearningRestoresEveryScoreExactly) {
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
        EXPECT_EQ(models->score(message(i, i % 2 == 0)).log_odds, scores[i - 300]);
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

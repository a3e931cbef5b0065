#include "filters/models/layers.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace postern::filters {
namespace {

constexpr std::uint64_t plenty = 1024 * 1024;

// A message of `words` content features, of which the first `shared` are those of `family`.
FeatureVector message(std::uint64_t number, std::size_t words, std::uint64_t family = 0,
                      std::size_t shared = 0) {
    FeatureVector vector;
    std::mt19937_64 own(number * 7919 + 1);
    std::mt19937_64 common(family * 104729 + 3);
    for (auto& byte : vector.digest.bytes) byte = static_cast<std::uint8_t>(own());
    std::set<std::uint64_t> hashes;
    for (std::size_t i = 0; i < words; ++i) {
        const std::uint64_t hash = i < shared ? common() : own();
        hashes.insert((hash >> (64 - feature_bits)) | content_feature_bit);
    }
    vector.hashes.assign(hashes.begin(), hashes.end());
    return vector;
}

TEST(Sketch, EstimatesTheShareThatBothHave) {
    for (const std::size_t shared : {0u, 100u, 200u, 300u, 400u}) {
        double sum = 0;
        for (std::uint64_t i = 0; i < 200; ++i) {
            sum += likeness(sketch_of(message(2 * i, 400, i, shared)),
                            sketch_of(message(2 * i + 1, 400, i, shared)));
        }
        const double truth = static_cast<double>(shared) / static_cast<double>(800 - shared);
        EXPECT_NEAR(sum / 200, truth, 0.03) << shared;
    }
}

TEST(Sketch, OfTooLittleIsLikeNothing) {
    const auto vector_of = [](std::size_t filled) {
        FeatureVector vector;
        std::set<std::size_t> places;
        for (std::uint64_t hash = 1; places.size() < filled; hash += 2) {
            if (places.insert(hash * 0x9E3779B97F4A7C15ull >> 58).second) {
                vector.hashes.push_back(hash);
            }
        }
        return sketch_of(vector);
    };
    EXPECT_EQ(likeness(vector_of(min_sketch_places - 1), vector_of(min_sketch_places - 1)), 0);
    EXPECT_EQ(likeness(vector_of(min_sketch_places), vector_of(min_sketch_places)), 1);
    EXPECT_EQ(likeness(vector_of(min_sketch_places + 1), vector_of(min_sketch_places + 1)), 1);
}

TEST(Layers, OneLessonHelpsWithTheSameKindOfMailAtOnce) {
    Layers layers(plenty);
    EXPECT_TRUE(layers.learn("Ann@One.example", message(1, 300, 9, 290), Class::spam));
    const auto alike = sketch_of(message(2, 300, 9, 290));
    const LayerOpinion spam = layers.of_user("ann@one.example", alike);
    EXPECT_NEAR(spam.score, max_user_score / 2, 0.01);
    EXPECT_EQ(spam.spam, 1u);
    EXPECT_GT(spam.closest, 0.8);
    EXPECT_EQ(layers.of_user("ben@one.example", alike).score, 0);

    EXPECT_TRUE(layers.learn("ann@one.example", message(1, 300, 9, 290), Class::ham));
    EXPECT_NEAR(layers.of_user("ann@one.example", alike).score, -max_user_score / 2, 0.01);
}

// Whatever is taught, mail that is unlike all of it stays where it was: over many random users.
TEST(Layers, NeverMoveUnlikeMail) {
    std::mt19937 random(11);
    std::size_t asked = 0;
    for (std::uint64_t user = 0; user < 60; ++user) {
        Layers layers(plenty);
        const std::size_t count = 1 + random() % 64;
        for (std::uint64_t i = 0; i < count; ++i) {
            layers.learn("u@d.example", message(user * 1000 + i, 20 + random() % 500), Class::spam);
        }
        for (std::uint64_t i = 0; i < 50; ++i, ++asked) {
            // Of one family with each other, and a tenth shared with all other mail.
            const auto other = sketch_of(message(900000 + user * 1000 + i, 300, 5, 60));
            ASSERT_EQ(layers.of_user("u@d.example", other).score, 0);
        }
    }
    EXPECT_EQ(asked, 3000u);
}

TEST(Layers, TheVoiceGrowsWithLessonsThatAgreeAndStaysBounded) {
    Layers layers(plenty);
    const auto asked = sketch_of(message(5000, 300, 4, 300));
    double before = 0;
    for (std::uint64_t i = 0; i < max_user_lessons; ++i) {
        layers.learn("u@d.example", message(i, 300, 4, 295), Class::spam);
        const double score = layers.of_user("u@d.example", asked).score;
        EXPECT_GT(score, before);
        EXPECT_LT(score, max_user_score);
        before = score;
    }
    for (std::uint64_t i = 0; i < 5; ++i) {
        layers.learn("u@d.example", message(100 + i, 300, 4, 295), Class::ham);
        EXPECT_LT(layers.of_user("u@d.example", asked).score, before);
        before = layers.of_user("u@d.example", asked).score;
    }
}

// The domain keeps more than the user does, and lets go of all that is taken back.
TEST(Layers, UnlearnReachesWhatTheUsersOwnLayerForgot) {
    Layers layers(1 << 20);
    for (unsigned i = 0; i <= max_user_lessons; ++i) {
        ASSERT_TRUE(layers.learn("a@d.example", message(i, 200, 1, 150), Class::spam));
    }
    EXPECT_TRUE(layers.unlearn("a@d.example", message(0, 200, 1, 150)));
    EXPECT_EQ(layers.lessons(), 2 * max_user_lessons);
}

TEST(Layers, UnlearnTakesAwayExactlyWhatLearnAdded) {
    Layers layers(plenty);
    std::mt19937 random(3);
    for (std::uint64_t i = 0; i < 40; ++i) {
        layers.learn(i % 2 == 0 ? "a@d.example" : "b@d.example", message(i, 200, i % 4, 150),
                     i % 3 == 0 ? Class::spam : Class::ham);
    }
    std::vector<double> before;
    for (std::uint64_t i = 0; i < 8; ++i) {
        const auto asked = sketch_of(message(700 + i, 200, i % 4, 150));
        before.push_back(layers.of_user("a@d.example", asked).score);
        before.push_back(layers.of_domain("c@d.example", asked).score);
    }
    const std::size_t lessons = layers.lessons();
    EXPECT_TRUE(layers.learn("a@d.example", message(99, 200, 1, 150), Class::spam));
    EXPECT_TRUE(layers.unlearn("a@d.example", message(99, 200, 1, 150)));
    EXPECT_FALSE(layers.unlearn("a@d.example", message(99, 200, 1, 150)));
    EXPECT_EQ(layers.lessons(), lessons);
    for (std::uint64_t i = 0, k = 0; i < 8; ++i) {
        const auto asked = sketch_of(message(700 + i, 200, i % 4, 150));
        EXPECT_EQ(layers.of_user("a@d.example", asked).score, before[k++]);
        EXPECT_EQ(layers.of_domain("c@d.example", asked).score, before[k++]);
    }
}

TEST(Layers, ADomainNeedsTwoTeachersBesideTheOneAskedFor) {
    Layers layers(plenty);
    const auto asked = sketch_of(message(50, 300, 2, 295));
    layers.learn("a@d.example", message(1, 300, 2, 295), Class::spam);
    layers.learn("a@d.example", message(2, 300, 2, 295), Class::spam);
    EXPECT_EQ(layers.of_domain("c@d.example", asked).score, 0);
    layers.learn("b@d.example", message(3, 300, 2, 295), Class::spam);
    EXPECT_GT(layers.of_domain("c@d.example", asked).score, 0);
    EXPECT_LT(layers.of_domain("c@d.example", asked).score, max_domain_score);
    EXPECT_EQ(layers.of_domain("a@d.example", asked).score, 0);
    EXPECT_EQ(layers.of_domain("c@other.example", asked).score, 0);
}

TEST(Layers, KeepTheLatestLessonsOfAUser) {
    for (const std::size_t count : {max_user_lessons - 1, max_user_lessons, max_user_lessons + 1}) {
        Layers layers(plenty);
        for (std::uint64_t i = 0; i < count; ++i) {
            layers.learn("u@d.example", message(i, 100), Class::spam);
        }
        EXPECT_EQ(layers.of_user("u@d.example", sketch_of(message(0, 100))).spam,
                  count > max_user_lessons ? 0u : 1u);
        EXPECT_EQ(layers.lessons(), std::min(count, max_user_lessons) + count);
    }
}

TEST(Layers, KeepTheLatestLessonsOfADomain) {
    for (const std::size_t count :
         {max_domain_lessons - 1, max_domain_lessons, max_domain_lessons + 1}) {
        Layers layers(plenty);
        for (std::uint64_t i = 0; i < count; ++i) {
            layers.learn("u" + std::to_string(i) + "@d.example", message(i, 100), Class::spam);
        }
        EXPECT_EQ(layers.lessons(), count + std::min(count, max_domain_lessons));
    }
}

TEST(Layers, AreBoundedAndTheOldestGivesWay) {
    Layers layers(min_layer_bytes);
    std::size_t most = 0;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        layers.learn("u" + std::to_string(i) + "@d" + std::to_string(i) + ".example",
                     message(i, 100), Class::spam);
        most = std::max(most, layers.lessons());
    }
    // Two owners a lesson here, each with a map's node, a name and a vector.
    EXPECT_LE(most * 600, min_layer_bytes);
    EXPECT_GT(most, 50u);
    EXPECT_EQ(layers.of_user("u0@d0.example", sketch_of(message(0, 100))).score, 0);
    EXPECT_GT(layers.of_user("u2999@d2999.example", sketch_of(message(2999, 100))).score, 0);
}

TEST(Layers, OnlyAddressesHaveOne) {
    Layers layers(plenty);
    const std::string longest = std::string(max_layer_owner_bytes - 2, 'a') + "@b";
    for (const std::string& who : {std::string("command line"), std::string("@d.example"),
                                   std::string("a@"), std::string(), "a" + longest}) {
        EXPECT_FALSE(layers.learn(who, message(1, 100), Class::spam)) << who.size();
        EXPECT_EQ(layers.of_user(who, sketch_of(message(1, 100))).score, 0);
    }
    EXPECT_TRUE(layers.learn(longest, message(1, 100), Class::spam));
    EXPECT_TRUE(layers.learn(longest.substr(1), message(1, 100), Class::spam));
    EXPECT_FALSE(layers.learn("a@d.example", message(1, 3), Class::spam)) << "says too little";
}

TEST(Layers, ForgetWhoIsGone) {
    Layers layers(plenty);
    for (const char* who : {"a@d.example", "b@d.example", "c@d.example"}) {
        layers.learn(who, message(static_cast<std::uint64_t>(who[0]), 300, 2, 295), Class::spam);
    }
    layers.keep_users([](const std::string& address) { return address != "a@d.example"; });
    const auto asked = sketch_of(message(50, 300, 2, 295));
    EXPECT_EQ(layers.of_user("a@d.example", asked).score, 0);
    EXPECT_GT(layers.of_user("b@d.example", asked).score, 0);
    EXPECT_EQ(layers.of_domain("z@d.example", asked).spam, 2u);
    layers.keep_users([](const std::string&) { return false; });
    EXPECT_EQ(layers.owners(), 0u);
    EXPECT_EQ(layers.lessons(), 0u);
}

TEST(Layers, ComeBackFromTheirImage) {
    Layers layers(plenty);
    for (std::uint64_t i = 0; i < 30; ++i) {
        layers.learn(i % 2 == 0 ? "a@d.example" : "b@d.example", message(i, 200, i % 4, 150),
                     i % 3 == 0 ? Class::spam : Class::ham);
    }
    const std::string image = layers.save();
    Layers again(plenty);
    ASSERT_TRUE(again.load(image));
    EXPECT_EQ(again.save(), image);
    for (std::size_t size = 0; size < image.size(); size += 37) {
        EXPECT_FALSE(again.load(image.substr(0, size)));
    }
    for (std::size_t at = 0; at < image.size(); at += 101) {
        std::string changed = image;
        changed[at] = static_cast<char>(changed[at] ^ 0x40);
        EXPECT_FALSE(again.load(changed)) << at;
    }
    EXPECT_EQ(again.save(), image) << "a refused image changes nothing";
    Layers smaller(min_layer_bytes);
    EXPECT_TRUE(smaller.load(image));
}

}  // namespace
}  // namespace postern::filters

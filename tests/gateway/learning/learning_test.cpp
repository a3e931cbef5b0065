#include "gateway/learning/learning.h"

#include "filters/models/layers.h"
#include "gateway/learning/snapshot.h"
#include "tests/gateway/learning/jobs.h"
#include "tests/gateway/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace postern::learning {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t model_bytes = 16 * 1024 * 1024;

class LearningTest : public testing::Test {
protected:
    std::unique_ptr<Learning> open() {
        LearningOptions options;
        options.folder = folder_.path("filter");
        options.warn = [this](std::string_view text) { warnings_.emplace_back(text); };
        options.has_user = [this](const std::string& address) { return address != removed_; };
        auto opened = Learning::open(*store_, filters::make_models(model_bytes), options);
        EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().text);
        return opened ? std::move(*opened) : nullptr;
    }
    void learn(Learning& learning, std::uint64_t from, std::uint64_t to) {
        for (auto i = from; i < to; ++i) {
            const auto job = i % 2 == 0 ? spam_job(i) : ham_job(i);
            ASSERT_TRUE(learning.learn({&job, 1}).has_value());
        }
    }
    static std::uint64_t learned(const Learning& learning) {
        const auto stats = learning.models()->stats();
        return stats.ham + stats.spam;
    }
    std::uint64_t log_entries() {
        auto page = store_->scan({kv::ShardKind::learn_log, 0, 0}, "e", "f", 1000);
        return page->rows.size();
    }
    std::string model_file() const { return folder_.path("filter/model.bin"); }

    TemporaryFolder folder_;
    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    std::vector<std::string> warnings_;
    std::string removed_;
};

// The daemon of another user must be able to read it at once, not only after it was given away.
TEST(Snapshot, WrittenByRootItBelongsToTheFoldersOwner) {
    if (::geteuid() != 0) GTEST_SKIP() << "not root";
    constexpr uid_t user = 12345;
    constexpr gid_t group = 12346;
    const TemporaryFolder folder;
    ASSERT_EQ(::chown(folder.path().c_str(), user, group), 0);
    const std::string file = folder.path("prior.bin");
    struct stat found {};
    ASSERT_TRUE(write_snapshot(file, 1, "x").has_value());
    ASSERT_EQ(::stat(file.c_str(), &found), 0);
    EXPECT_EQ(found.st_uid, user);
    EXPECT_EQ(found.st_gid, group);
    ASSERT_EQ(::chown(file.c_str(), user + 2, group), 0);
    ASSERT_TRUE(write_snapshot(file, 2, "y").has_value());
    ASSERT_EQ(::stat(file.c_str(), &found), 0);
    EXPECT_EQ(found.st_uid, user + 2);
}

TEST_F(LearningTest, WhatIsLearnedIsThereAfterACrash) {
    {
        auto learning = open();
        learn(*learning, 0, 10);
        ASSERT_TRUE(learning->catch_up().has_value());
        EXPECT_EQ(learned(*learning), 10u);
        // No stop(): the process dies here.
    }
    auto again = open();
    EXPECT_EQ(learned(*again), 10u);
    EXPECT_EQ(again->models()->stats().spam, 5u);
}

TEST_F(LearningTest, SnapshotTrimsTheLogAndCarriesOn) {
    {
        auto learning = open();
        learn(*learning, 0, 10);
        ASSERT_TRUE(learning->catch_up().has_value());
        ASSERT_TRUE(learning->snapshot().has_value());
        EXPECT_EQ(log_entries(), 0u);
        learn(*learning, 10, 13);
    }
    auto again = open();
    EXPECT_EQ(learned(*again), 13u);
    EXPECT_EQ(again->status().applied, 13u);
    EXPECT_EQ(again->status().in_snapshot, 10u);
}

// The crash points of a snapshot: before the rename, between rename and trim, in the middle of the
// trim.
TEST_F(LearningTest, CrashInsideASnapshotLosesNothingAndLearnsNothingTwice) {
    std::string image;
    {
        auto learning = open();
        learn(*learning, 0, 8);
        ASSERT_TRUE(learning->catch_up().has_value());
        image = learning->models()->save();
    }
    folder_.write("filter/model.bin.new", "half a snap");
    EXPECT_EQ(learned(*open()), 8u);

    ASSERT_TRUE(write_snapshot(model_file(), 8, image).has_value());
    ASSERT_EQ(log_entries(), 8u);
    EXPECT_EQ(learned(*open()), 8u);

    LearnLog log(*store_);
    ASSERT_TRUE(log.trim(3).has_value());
    EXPECT_EQ(learned(*open()), 8u);
    EXPECT_THAT(warnings_, ElementsAre());
}

// Applied jobs whose snapshot was never taken are applied again: the models know them by digest.
TEST_F(LearningTest, ReplayIsIdempotent) {
    auto learning = open();
    learn(*learning, 0, 6);
    ASSERT_TRUE(learning->catch_up().has_value());
    const auto image = learning->models()->save();
    // A snapshot that says 2 while it holds 6: as after a crash between apply and count.
    ASSERT_TRUE(write_snapshot(model_file(), 2, image).has_value());
    auto again = open();
    EXPECT_EQ(learned(*again), 6u);
    EXPECT_EQ(again->models()->stats().spam, 3u);
}

TEST_F(LearningTest, UnlearnAndRelearnReachTheModels) {
    auto learning = open();
    learn(*learning, 0, 2);
    const LearnJob changes[] = {job_of(0, LearnAction::ham), job_of(1, LearnAction::unlearn)};
    ASSERT_TRUE(learning->learn(changes).has_value());
    ASSERT_TRUE(learning->catch_up().has_value());
    EXPECT_EQ(learning->models()->stats().ham, 1u);
    EXPECT_EQ(learning->models()->stats().spam, 0u);
}

TEST_F(LearningTest, ReaderSeesThatTheOwnerTrimmed) {
    auto owner = open();
    auto reader = open();
    learn(*owner, 0, 5);
    ASSERT_TRUE(owner->catch_up().has_value());
    ASSERT_TRUE(owner->snapshot().has_value());
    learn(*owner, 5, 7);
    ASSERT_TRUE(reader->catch_up().has_value());
    EXPECT_EQ(learned(*reader), 7u);
    EXPECT_THAT(warnings_, ElementsAre());
}

TEST_F(LearningTest, LostSnapshotIsSaidAndLearningGoesOn) {
    {
        auto learning = open();
        learn(*learning, 0, 5);
        ASSERT_TRUE(learning->stop().has_value());
    }
    std::filesystem::remove(model_file());
    auto again = open();
    ASSERT_NE(again, nullptr);
    EXPECT_EQ(learned(*again), 0u);
    ASSERT_EQ(warnings_.size(), 1u);
    EXPECT_THAT(warnings_[0], HasSubstr("entries up to 5 are in no snapshot"));
    learn(*again, 5, 7);
    ASSERT_TRUE(again->catch_up().has_value());
    EXPECT_EQ(learned(*again), 2u);
}

TEST_F(LearningTest, DamagedSnapshotIsSetAside) {
    {
        auto learning = open();
        learn(*learning, 0, 5);
        ASSERT_TRUE(learning->stop().has_value());
    }
    {
        std::fstream file(model_file(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(60);
        file.put('\x55');
    }
    auto again = open();
    ASSERT_NE(again, nullptr);
    EXPECT_THAT(warnings_[0], HasSubstr("damaged"));
    EXPECT_TRUE(std::filesystem::exists(model_file() + ".damaged"));
    learn(*again, 5, 6);
    ASSERT_TRUE(again->stop().has_value());
    EXPECT_EQ(learned(*open()), 1u);
}

TEST_F(LearningTest, BulkTrainingIsKeptByTheSnapshot) {
    {
        auto learning = open();
        EXPECT_TRUE(learning->learn_unlogged(spam_job(1)));
        EXPECT_FALSE(learning->learn_unlogged(spam_job(1)));
        ASSERT_TRUE(learning->stop().has_value());
        EXPECT_EQ(log_entries(), 0u);
    }
    EXPECT_EQ(learned(*open()), 1u);
}

TEST_F(LearningTest, BackgroundThreadAppliesWhatAnotherProcessLogged) {
    auto owner = open();
    owner->start();
    LearnLog other(*store_);
    const auto job = spam_job(1);
    ASSERT_TRUE(other.append({&job, 1}).has_value());
    owner->wake();
    for (int i = 0; i < 500 && learned(*owner) == 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(learned(*owner), 1u);
    ASSERT_TRUE(owner->stop().has_value());
    EXPECT_EQ(owner->status().in_snapshot, 1u);
}

TEST_F(LearningTest, SnapshotIsTakenAfterEnoughJobs) {
    LearningOptions options;
    options.folder = folder_.path("filter");
    options.snapshot_jobs = 10;
    auto learning = Learning::open(*store_, filters::make_models(model_bytes), options);
    ASSERT_TRUE(learning.has_value());
    (*learning)->start();
    learn(**learning, 0, 10);
    for (int i = 0; i < 500 && (*learning)->status().in_snapshot < 10; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ((*learning)->status().in_snapshot, 10u);
}

TEST(Snapshot, RefusesWhatItDidNotWrite) {
    TemporaryFolder folder;
    const auto file = folder.path("model.bin");
    EXPECT_FALSE(read_snapshot(file)->has_value());
    ASSERT_TRUE(write_snapshot(file, 42, "image").has_value());
    EXPECT_EQ((**read_snapshot(file)).number, 42u);
    EXPECT_EQ((**read_snapshot(file)).image, "image");

    std::ifstream in(file, std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(in)), {});
    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        folder.write("model.bin", changed);
        EXPECT_FALSE(read_snapshot(file).has_value()) << "byte " << i;
        folder.write("model.bin", whole.substr(0, i));
        EXPECT_FALSE(read_snapshot(file).has_value()) << "cut at " << i;
    }
}

TEST_F(LearningTest, AnImportedPriorIsSeenWhenItComesChangesAndGoes) {
    const auto elsewhere = filters::make_models(model_bytes);
    for (std::uint64_t i = 0; i < 20; ++i) {
        elsewhere->learn(spam_job(i).features,
                         i % 2 == 0 ? filters::Class::spam : filters::Class::ham);
    }
    auto learning = open();
    learn(*learning, 100, 104);
    learning->start();
    const auto prior_becomes = [&](std::uint64_t messages) {
        for (int i = 0; i < 500; ++i) {
            learning->wake();
            const auto stats = learning->models()->stats();
            if (stats.prior_ham + stats.prior_spam == messages) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    };
    const std::string file = prior_file(folder_.path("filter"));
    ASSERT_TRUE(write_snapshot(file, 0, elsewhere->save_own()).has_value());
    EXPECT_TRUE(prior_becomes(20));
    elsewhere->learn(spam_job(50).features, filters::Class::spam);
    ASSERT_TRUE(write_snapshot(file, 0, elsewhere->save_own()).has_value());
    EXPECT_TRUE(prior_becomes(21));
    ASSERT_TRUE(learning->stop().has_value());
    EXPECT_EQ(learned(*learning), 4u);

    learning = open();
    EXPECT_EQ(learning->models()->stats().prior_ham, 10u);
    EXPECT_EQ(learned(*learning), 4u);
    std::filesystem::remove(file);
    learning->start();
    EXPECT_TRUE(prior_becomes(0));
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(LearningTest, ADamagedPriorIsToldAndGoneOnWithout) {
    ASSERT_TRUE(open() != nullptr);
    std::ofstream(prior_file(folder_.path("filter"))) << "PSTNMODL, but no more than that";
    auto learning = open();
    ASSERT_NE(learning, nullptr);
    EXPECT_EQ(learning->models()->stats().prior_ham, 0u);
    ASSERT_FALSE(warnings_.empty());
    EXPECT_THAT(warnings_.back(), HasSubstr("prior"));
}

TEST_F(LearningTest, ForgettingEmptiesModelsLogAndFile) {
    auto learning = open();
    learn(*learning, 0, 10);
    ASSERT_TRUE(learning->forget().has_value());
    EXPECT_EQ(learned(*learning), 0u);
    EXPECT_EQ(log_entries(), 0u);
    learning = open();
    EXPECT_EQ(learned(*learning), 0u);
    learn(*learning, 3, 4);
    ASSERT_TRUE(learning->catch_up().has_value());
    EXPECT_EQ(learned(*learning), 1u);
}

// A lesson of the user, about a message of some length.
LearnJob lesson(std::uint64_t number, LearnAction action, const std::string& who) {
    auto job = job_of(number, action, 200);
    job.who = who;
    return job;
}

double layer_score(const Learning& learning, const std::string& who, std::uint64_t number) {
    const auto job = lesson(number, LearnAction::ham, who);
    return learning.models()->layers().of_user(who, filters::sketch_of(job.features)).score;
}

TEST_F(LearningTest, WhatAUserTeachesIsThatUsersAndOutlivesCrashesAndSnapshots) {
    for (const bool with_snapshot : {false, true}) {
        {
            auto learning = open();
            const LearnJob jobs[] = {lesson(1, LearnAction::spam, "ann@example.org"),
                                     lesson(2, LearnAction::ham, "ben@example.org"),
                                     lesson(3, LearnAction::spam, "command line")};
            ASSERT_TRUE(learning->learn(jobs).has_value());
            ASSERT_TRUE(learning->catch_up().has_value());
            if (with_snapshot) {
                ASSERT_TRUE(learning->snapshot().has_value());
            }
        }
        auto again = open();
        EXPECT_GT(layer_score(*again, "ann@example.org", 1), 0);
        EXPECT_EQ(layer_score(*again, "ann@example.org", 2), 0);
        EXPECT_LT(layer_score(*again, "ben@example.org", 2), 0);
        EXPECT_EQ(again->models()->layers().owners(), 3u);  // two users, their domain
    }
}

TEST_F(LearningTest, UnlearningIsOfTheUsersLayerToo) {
    auto learning = open();
    const LearnJob jobs[] = {lesson(1, LearnAction::spam, "ann@example.org"),
                             lesson(1, LearnAction::unlearn, "ann@example.org")};
    ASSERT_TRUE(learning->learn(jobs).has_value());
    ASSERT_TRUE(learning->catch_up().has_value());
    EXPECT_EQ(learning->models()->layers().lessons(), 0u);
}

TEST_F(LearningTest, ARemovedUsersLessonsAreForgotten) {
    {
        auto learning = open();
        const LearnJob jobs[] = {lesson(1, LearnAction::spam, "ann@example.org"),
                                 lesson(2, LearnAction::spam, "ben@example.org")};
        ASSERT_TRUE(learning->learn(jobs).has_value());
        ASSERT_TRUE(learning->catch_up().has_value());
        ASSERT_TRUE(learning->snapshot().has_value());
    }
    removed_ = "ann@example.org";
    auto again = open();
    EXPECT_EQ(layer_score(*again, "ann@example.org", 1), 0);
    EXPECT_GT(layer_score(*again, "ben@example.org", 2), 0);
}

TEST_F(LearningTest, DamagedLayersAreSetAside) {
    {
        auto learning = open();
        const auto job = lesson(1, LearnAction::spam, "ann@example.org");
        ASSERT_TRUE(learning->learn({&job, 1}).has_value());
        ASSERT_TRUE(learning->catch_up().has_value());
        ASSERT_TRUE(learning->snapshot().has_value());
    }
    const auto file = folder_.path("filter/layers.bin");
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    auto again = open();
    ASSERT_NE(again, nullptr);
    EXPECT_EQ(again->models()->layers().owners(), 0u);
    EXPECT_EQ(learned(*again), 1u);
    EXPECT_TRUE(std::filesystem::exists(file + ".damaged"));
    EXPECT_THAT(warnings_.back(), HasSubstr("layers.bin.damaged"));
}

TEST_F(LearningTest, ForgettingEmptiesTheLayers) {
    auto learning = open();
    const auto job = lesson(1, LearnAction::spam, "ann@example.org");
    ASSERT_TRUE(learning->learn({&job, 1}).has_value());
    ASSERT_TRUE(learning->forget().has_value());
    EXPECT_EQ(open()->models()->layers().owners(), 0u);
}

}  // namespace
}  // namespace postern::learning

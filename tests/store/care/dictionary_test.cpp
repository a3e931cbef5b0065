#include "store/blob/blob.h"
#include "store/care/backup.h"
#include "store/care/check.h"
#include "store/care/stats.h"
#include "store/care/train_dictionary.h"
#include "store/directory/directory.h"
#include "store/kv/faulty.h"
#include "tests/store/mail/fixture.h"
#include "tests/store/support/mail_text.h"

#include <gmock/gmock.h>

#include <filesystem>

namespace postern::care {
namespace {

using testing::HasSubstr;

class TrainDictionary : public mail::MailStoreFixture {
protected:
    void fill(std::size_t messages) {
        for (std::size_t i = 0; i < messages; ++i) {
            ASSERT_TRUE(append(id("INBOX"), test::mail_text(static_cast<unsigned>(i))));
        }
    }
    BlobId append_new() {
        const auto appended = append(id("INBOX"), test::mail_text(5000));
        EXPECT_TRUE(appended);
        return mail_->rows(id("INBOX"), {appended->uid}, 1, false)->front().blob;
    }
    CheckReport check(kv::Store& store, bool quick = false) {
        findings_.clear();
        CheckOptions options;
        options.alone = true;
        options.read_bodies = !quick;
        options.found = [&](const Finding& finding) {
            findings_ += finding.where + ": " + finding.what + "\n";
        };
        const auto report = check_store(store, options);
        EXPECT_TRUE(report);
        return report ? *report : CheckReport{};
    }
    std::string findings_;
};

TEST_F(TrainDictionary, TooLittleMailIsRefusedWithTheNumbers) {
    fill(min_training_samples - 1);
    const auto refused = train_dictionary(*kv_, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_THAT(refused.error().text, HasSubstr("199 messages"));
    ASSERT_TRUE(append(id("INBOX"), "no mail at all"));
    EXPECT_FALSE(train_dictionary(*kv_, {})) << "what has no header does not count";
    ASSERT_TRUE(append(id("INBOX"), test::mail_text(9999)));
    EXPECT_TRUE(train_dictionary(*kv_, {}));
}

TEST_F(TrainDictionary, NewMailUsesItAndASecondOneMustBeBetter) {
    fill(min_training_samples);
    const auto report = train_dictionary(*kv_, {});
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_TRUE(report->kept);
    EXPECT_EQ(report->samples, min_training_samples);
    EXPECT_LT(report->after_bytes, report->before_bytes);
    EXPECT_EQ(blob::info(*kv_, append_new())->dictionary, report->id);
    const auto again = train_dictionary(*kv_, {});
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->kept);
    EXPECT_EQ(check(*kv_).findings, 0u) << findings_;
}

TEST_F(TrainDictionary, TheNeedsCanBeSetHigher) {
    fill(min_training_samples);
    EXPECT_FALSE(train_dictionary(*kv_, {}, {min_training_samples + 1, min_training_gain}));
    const auto never = train_dictionary(*kv_, {}, {min_training_samples, 0.999});
    ASSERT_TRUE(never);
    EXPECT_FALSE(never->kept);
    EXPECT_FALSE(blob::Dictionaries::of(*kv_)->newest());
    EXPECT_TRUE(train_dictionary(*kv_, {}, {min_training_samples, 0.10})->kept);
}

TEST_F(TrainDictionary, StatsTellWhatItSaves) {
    fill(min_training_samples);
    const auto before = measure(*kv_, {});
    ASSERT_TRUE(before);
    EXPECT_EQ(before->dictionaries, 0u);
    EXPECT_EQ(before->without_dictionary_bytes, before->body_bytes);
    const auto report = train_dictionary(*kv_, {});
    ASSERT_TRUE(report);
    const auto plain = blob::encode(test::mail_text(5000)).size();
    const auto packed = kv_->read_blob(append_new(), 0, kv::max_blob_bytes)->size();
    const auto after = measure(*kv_, {});
    ASSERT_TRUE(after);
    EXPECT_EQ(after->dictionaries, 1u);
    EXPECT_EQ(after->dictionary_bytes, report->dictionary_bytes);
    EXPECT_EQ(after->body_bytes, before->body_bytes + packed);
    EXPECT_EQ(after->without_dictionary_bytes, before->body_bytes + plain);
}

TEST_F(TrainDictionary, CheckNamesALostOneAndOnlyItsMessages) {
    fill(min_training_samples);
    const auto report = train_dictionary(*kv_, {});
    ASSERT_TRUE(report);
    const blob::DictionaryId id = report->id;
    append_new();
    kv::Batch batch;
    batch.shard = blob::dictionary_shard;
    batch.operation = kv::random_id();
    const auto rows = kv_->scan(blob::dictionary_shard, "d", "e", 2);
    ASSERT_TRUE(rows);
    batch.operations.emplace_back(kv::Put{rows->rows.front().key, "overwritten"});
    ASSERT_TRUE(kv_->commit_and_wait(std::move(batch)));
    // As after the next start: nothing of it is in memory.
    for (const bool quick : {false, true}) {
        kv::FaultyStore fresh(std::shared_ptr<kv::Store>(kv_.get(), [](kv::Store*) {}));
        EXPECT_EQ(check(fresh, quick).findings, 2u) << findings_;
        EXPECT_THAT(findings_, HasSubstr("dictionary " + blob::name_of(id) + ": is damaged"));
        EXPECT_THAT(findings_, HasSubstr("UID 201: its body cannot be read: its dictionary"));
    }
}

TEST_F(TrainDictionary, WhichIsTheNewestIsMended) {
    fill(min_training_samples);
    const auto report = train_dictionary(*kv_, {});
    ASSERT_TRUE(report);
    kv::FaultyStore faulty(std::shared_ptr<kv::Store>(kv_.get(), [](kv::Store*) {}));
    faulty.damage(blob::dictionary_shard, "n");
    EXPECT_FALSE(blob::Dictionaries::of(faulty)->newest());
    EXPECT_EQ(check(faulty).findings, 1u) << findings_;
    EXPECT_THAT(findings_, HasSubstr("which is the newest cannot be read"));
    CheckOptions repair;
    repair.repair = true;
    ASSERT_TRUE(check_store(faulty, repair)->clean());
    EXPECT_EQ(check(faulty).findings, 0u) << findings_;
    ASSERT_TRUE(blob::Dictionaries::of(faulty)->newest());
    EXPECT_EQ(blob::Dictionaries::of(faulty)->newest()->id(), report->id);
}

TEST_F(TrainDictionary, ABackupCarriesItForTheWholeStoreAndForOneUser) {
    directory::Directory directory(*kv_);
    ASSERT_TRUE(directory.add_domain("example.org"));
    const auto user = directory.add_user("ann@example.org", "hash");
    ASSERT_TRUE(user);
    ASSERT_TRUE(mail::wait<void>(
        [&](mail::Done<void> done) { mail_->create_account(user->id, std::move(done)); }));
    fill(min_training_samples);
    ASSERT_TRUE(train_dictionary(*kv_, {}));
    append_new();
    ASSERT_TRUE(append(mail_->find(user->id, "INBOX")->id, test::mail_text(77)));
    const std::string repository = folder_.string() + ".backup";
    ASSERT_TRUE(backup(*kv_, repository, from_unix_ms(1'700'000'000'000), {}, {}));
    RestoreOptions options;
    options.folder = repository;
    options.now = from_unix_ms(1'800'000'000'000);
    const auto whole = kv::make_memory_store();
    ASSERT_TRUE(restore(*whole, options, {}, {}));
    EXPECT_EQ(check(*whole).findings, 0u) << findings_;
    EXPECT_TRUE(blob::Dictionaries::of(*whole)->newest());

    const auto other = kv::make_memory_store();
    directory::Directory there(*other);
    ASSERT_TRUE(there.add_domain("example.org"));
    ASSERT_TRUE(there.add_user("ann@example.org", "hash"));
    options.address = "ann@example.org";
    ASSERT_TRUE(restore(*other, options, {}, {}));
    EXPECT_EQ(check(*other).findings, 0u) << findings_;
    EXPECT_EQ(check(*other).messages, 1u);
    EXPECT_FALSE(blob::Dictionaries::of(*other)->newest());
    std::filesystem::remove_all(repository);
}

}  // namespace
}  // namespace postern::care

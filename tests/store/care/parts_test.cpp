#include "store/blob/blob.h"
#include "store/care/backup.h"
#include "store/care/check.h"
#include "store/care/stats.h"
#include "store/care/walk.h"
#include "store/directory/directory.h"
#include "store/kv/faulty.h"
#include "store/mail/rows.h"
#include "tests/store/mail/fixture.h"
#include "tests/store/support/mail_text.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace postern::care {
namespace {

using testing::HasSubstr;

class SharedParts : public mail::MailStoreFixture {
protected:
    void SetUp() override {
        MailStoreFixture::SetUp();
        ASSERT_TRUE(append(id("INBOX"), test::with_attachment(1, content_)));
        ASSERT_TRUE(append(id("Archive"), test::with_attachment(2, content_)));
        ASSERT_TRUE(append(id("INBOX"), test::mail_text(3)));
    }
    BlobId blob_of(const char* mailbox) {
        return mail_->rows(id(mailbox), {1}, 1, false)->front().blob;
    }
    blob::StoredPart part() {
        const auto told = blob::info(*kv_, blob_of("INBOX"));
        EXPECT_EQ(told->parts.size(), 1u);
        return blob::find_part(*kv_, told->parts.front().name).value();
    }
    CheckReport check(bool repair = false) { return check(*kv_, repair); }
    CheckReport check(kv::Store& store, bool repair = false) {
        findings_.clear();
        CheckOptions options;
        options.repair = repair;
        options.alone = true;
        options.now = from_unix_ms(1'800'000'000'000);
        options.found = [&](const Finding& finding) {
            findings_ += finding.where + ": " + finding.what + "\n";
        };
        const auto report = check_store(store, options);
        EXPECT_TRUE(report);
        return report ? *report : CheckReport{};
    }
    void change(const kv::ShardId& shard, std::vector<kv::Operation> operations,
                std::vector<BlobId> erased = {}) {
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        batch.operations = std::move(operations);
        batch.erased_blobs = std::move(erased);
        ASSERT_TRUE(kv_->commit_and_wait(std::move(batch)));
    }
    kv::ShardId shard_of_part() {
        for (const auto& shard : blob::part_shards()) {
            if (!kv_->scan(shard, "", "", 1)->rows.empty()) return shard;
        }
        return {};
    }
    std::size_t bodies() {
        std::size_t count = 0;
        EXPECT_TRUE(sample_blobs(*kv_, 0, [&](const kv::StoredBlob&) { ++count; }));
        return count;
    }

    // Letting go comes after the answer.
    void expect_bodies(std::size_t count) {
        for (int i = 0; i < 500 && bodies() != count; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        EXPECT_EQ(bodies(), count);
    }

    const std::string content_ = test::attachment(1, 100'000);
    std::string findings_;
};

TEST_F(SharedParts, OneAttachmentOfTwoMessagesIsStoredOnceUntilBothAreGone) {
    EXPECT_EQ(bodies(), 4u);
    EXPECT_EQ(check().findings, 0u) << findings_;
    EXPECT_EQ(check().leftovers, 0u);
    EXPECT_EQ(texts(id("Archive"))[0], test::with_attachment(2, content_));
    ASSERT_TRUE(transfer(id("INBOX"), {1}, id("Junk"), false));
    ASSERT_TRUE(expunge(id("INBOX"), {1}, true));
    ASSERT_TRUE(expunge(id("Archive"), {1}, true));
    expect_bodies(3);
    EXPECT_EQ(texts(id("Junk"))[0], test::with_attachment(1, content_));
    EXPECT_EQ(check().findings, 0u) << findings_;
    ASSERT_TRUE(expunge(id("Junk"), {1}, true));
    expect_bodies(1);
    EXPECT_EQ(check().leftovers, 0u);
}

TEST_F(SharedParts, TheSameDeliveryAgainLeavesNothingBehind) {
    const OperationId operation = kv::random_id();
    const std::string text = test::with_attachment(9, test::attachment(9, 80'000));
    const auto first = append(id("INBOX"), text, {}, operation);
    ASSERT_TRUE(first);
    const auto again = append(id("INBOX"), text, {}, operation);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->uid, first->uid);
    mail_.reset();
    open();
    EXPECT_EQ(bodies(), 6u);
    EXPECT_EQ(check().leftovers, 0u);
    EXPECT_EQ(check().findings, 0u) << findings_;
}

TEST_F(SharedParts, ALostPartIsNamedWithItsMessagesAlone) {
    change(shard_of_part(), {}, {part().blob});
    EXPECT_EQ(check().findings, 3u) << findings_;
    EXPECT_THAT(findings_, HasSubstr("is damaged; the messages that hold it cannot be read"));
    EXPECT_THAT(findings_, HasSubstr("INBOX UID 1"));
    EXPECT_THAT(findings_, HasSubstr("Archive UID 1"));
    EXPECT_EQ(mail_->read(blob_of("INBOX"), 0, 20)->size(), 20u) << "its header reads";
}

TEST_F(SharedParts, ALostUserIsMended) {
    const auto rows = kv_->scan(shard_of_part(), "u", "v", 10);
    ASSERT_EQ(rows->rows.size(), 2u);
    change(shard_of_part(), {kv::Erase{rows->rows[0].key}});
    EXPECT_FALSE(check().clean());
    EXPECT_THAT(findings_, HasSubstr("does not know that it is used"));
    EXPECT_THAT(findings_, HasSubstr("counts its users wrongly"));
    EXPECT_TRUE(check(true).clean()) << findings_;
    EXPECT_EQ(check().findings, 0u) << findings_;
    EXPECT_EQ(part().users, 2u);
}

TEST_F(SharedParts, AUserThatIsNoBodyIsALeftoverThatRepairTidies) {
    ASSERT_TRUE(blob::make_body(*kv_, mail::mailbox_shard(id("INBOX")),
                                test::with_attachment(5, content_)));
    ASSERT_TRUE(blob::make_body(*kv_, mail::mailbox_shard(id("INBOX")),
                                test::with_attachment(5, test::attachment(6, 70'000))));
    EXPECT_EQ(check().findings, 0u) << findings_;
    EXPECT_EQ(check().leftovers, 2u);
    EXPECT_EQ(check(true).findings, 0u) << findings_;
    EXPECT_EQ(check().leftovers, 0u);
    EXPECT_EQ(bodies(), 4u);
    EXPECT_EQ(part().users, 2u);
}

TEST_F(SharedParts, RowsThatDoNotReadBackAreMended) {
    const kv::ShardId shard = shard_of_part();
    const auto rows = kv_->scan(shard, "", "", 10);
    ASSERT_EQ(rows->rows.size(), 4u);
    kv::FaultyStore faulty(std::shared_ptr<kv::Store>(kv_.get(), [](kv::Store*) {}));
    for (const kv::Row& row : rows->rows) faulty.damage(shard, row.key);
    EXPECT_FALSE(check(faulty).clean());
    EXPECT_THAT(findings_, HasSubstr("a row of a part is damaged"));
    EXPECT_THAT(findings_, HasSubstr("INBOX UID 1"));
    EXPECT_TRUE(check(faulty, true).clean()) << findings_;
    EXPECT_EQ(check(faulty).findings, 0u) << findings_;
    EXPECT_EQ(check().findings, 0u) << findings_;
    EXPECT_EQ(part().users, 2u);
    EXPECT_EQ(texts(id("Archive"))[0], test::with_attachment(2, content_));
}

TEST_F(SharedParts, ARowWhosePartIsLostTooIsTold) {
    const blob::StoredPart lost = part();
    change(shard_of_part(), {}, {lost.blob});
    kv::FaultyStore faulty(std::shared_ptr<kv::Store>(kv_.get(), [](kv::Store*) {}));
    faulty.damage(shard_of_part(), kv_->scan(shard_of_part(), "p", "q", 1)->rows[0].key);
    EXPECT_FALSE(check(faulty, true).clean());
    EXPECT_THAT(findings_, HasSubstr("a row of a part is damaged"));
}

TEST_F(SharedParts, ADamagedHintHarmsNoNewMail) {
    kv::FaultyStore faulty(std::shared_ptr<kv::Store>(kv_.get(), [](kv::Store*) {}));
    const std::string hint = kv_->scan(shard_of_part(), "h", "i", 1)->rows[0].key;
    faulty.damage(shard_of_part(), hint);
    const auto body = blob::make_body(faulty, mail::mailbox_shard(id("INBOX")),
                                      test::with_attachment(5, content_));
    ASSERT_TRUE(body) << body.error().text;
    EXPECT_NE(body->parts.front().name.id, part().name.id);
    // It was written over, so it leads again.
    const auto next = blob::make_body(faulty, mail::mailbox_shard(id("INBOX")),
                                      test::with_attachment(6, content_));
    ASSERT_TRUE(next);
    EXPECT_EQ(next->parts.front().name.id, body->parts.front().name.id);
    faulty.damage(shard_of_part(), hint);
    EXPECT_TRUE(blob::settle(faulty, *next));
    EXPECT_TRUE(blob::settle(faulty, *body));
    EXPECT_EQ(check(true).findings, 0u) << findings_;
}

TEST_F(SharedParts, ABackupCarriesThemOnceForTheWholeStoreAndForOneUser) {
    directory::Directory directory(*kv_);
    ASSERT_TRUE(directory.add_domain("example.org"));
    const auto user = directory.add_user("ann@example.org", "hash");
    ASSERT_TRUE(user);
    ASSERT_TRUE(mail::wait<void>(
        [&](mail::Done<void> done) { mail_->create_account(user->id, std::move(done)); }));
    const MailboxId inbox = mail_->find(user->id, "INBOX")->id;
    ASSERT_TRUE(append(inbox, test::with_attachment(7, content_)));
    const std::string repository = folder_.string() + ".backup";
    const auto saved = backup(*kv_, repository, from_unix_ms(1'700'000'000'000), {}, {});
    ASSERT_TRUE(saved);
    EXPECT_LT(saved->added_bytes, 2 * content_.size());
    RestoreOptions options;
    options.folder = repository;
    options.now = from_unix_ms(1'800'000'000'000);
    const auto whole = kv::make_memory_store();
    ASSERT_TRUE(restore(*whole, options, {}, {}));
    EXPECT_EQ(check(*whole).findings, 0u) << findings_;
    EXPECT_EQ(check(*whole).leftovers, 0u);
    EXPECT_EQ(whole->list_blobs("", 100)->blobs.size(), 5u);

    // Beside what is there, with the part lost there: it comes back for all.
    options.address = "ann@example.org";
    change(shard_of_part(), {}, {part().blob});
    EXPECT_FALSE(check().clean());
    ASSERT_TRUE(restore(*kv_, options, {}, {}));
    EXPECT_EQ(check().findings, 0u) << findings_;
    EXPECT_EQ(part().users, 4u);
    std::filesystem::remove_all(repository);
}

TEST_F(SharedParts, StatsTellWhatSharingSaves) {
    ASSERT_TRUE(transfer(id("INBOX"), {1}, id("Junk"), false));
    const auto stats = measure(*kv_, {});
    ASSERT_TRUE(stats);
    EXPECT_EQ(stats->parts, 1u);
    EXPECT_EQ(stats->part_uses, 2u);
    EXPECT_EQ(stats->bodies, 3u);
    EXPECT_EQ(stats->shared_bodies, 1u);
    const std::uint64_t text = test::with_attachment(1, content_).size();
    EXPECT_EQ(stats->message_bytes, 3 * text + test::mail_text(3).size());
    EXPECT_EQ(stats->unique_bytes, stats->message_bytes - text);
    EXPECT_EQ(stats->single_bytes, stats->unique_bytes - part().size);
    EXPECT_GT(stats->part_bytes, content_.size() / 2);
    EXPECT_LT(stats->body_bytes, 5000u);
}

}  // namespace
}  // namespace postern::care

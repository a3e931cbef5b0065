#include "store/care/check.h"

#include "store/blob/links.h"
#include "store/care/walk.h"
#include "store/directory/directory.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"
#include "store/mail/mailbox_names.h"
#include "store/mail/pools.h"
#include "store/mail/rows.h"
#include "store/queue/queue.h"
#include "tests/store/mail/fixture.h"
#include "tests/store/support/hooked_store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace postern::care {
namespace {

using mail::mailbox_shard;
using testing::HasSubstr;

class Check : public mail::MailStoreFixture {
protected:
    void SetUp() override {
        MailStoreFixture::SetUp();
        inbox_ = id("INBOX");
        for (int i = 1; i <= 6; ++i) {
            Flags flags = only(SystemFlag::seen);
            flags.keywords.push_back("kept");
            ASSERT_TRUE(append(inbox_, "message " + std::to_string(i), flags));
        }
        ASSERT_TRUE(transfer(inbox_, {1, 2}, id("Archive"), false));
        ASSERT_TRUE(transfer(inbox_, {3}, id("Archive"), true));
        ASSERT_TRUE(expunge(inbox_, {4}, true));
    }

    CheckReport check(bool repair = false) {
        findings_.clear();
        CheckOptions options;
        options.repair = repair;
        options.alone = true;
        options.now = from_unix_ms(1'800'000'000'000);
        options.found = [&](const Finding& finding) {
            findings_ += finding.where + ": " + finding.what + "\n";
        };
        const auto report = check_store(*kv_, options);
        EXPECT_TRUE(report) << report.error().text;
        return report ? *report : CheckReport{};
    }
    // Finds something with `text`, mends it, and finds nothing more.
    void expect_mended(const std::string& text) {
        const CheckReport first = check();
        EXPECT_FALSE(first.clean());
        EXPECT_THAT(findings_, HasSubstr(text));
        EXPECT_TRUE(check(true).clean()) << findings_;
        EXPECT_EQ(check().findings, 0u) << findings_;
    }
    void change(const kv::ShardId& shard, std::vector<kv::Operation> operations) {
        const auto done = commit(*kv_, shard, {}, std::move(operations));
        ASSERT_TRUE(done && *done);
    }
    mail::Head head() {
        return *mail::decode_head(**kv_->get(mailbox_shard(inbox_), mail::head_key));
    }

    MailboxId inbox_;
    std::string findings_;
};

TEST_F(Check, WhatWaitsForOtherServersIsNoOrphan) {
    queue::Queue queue(*kv_);
    queue::Message message;
    message.id = kv::random_id();
    message.recipients.resize(1);
    message.recipients[0].address = "ann@remote.example";
    const auto added = queue.add(message, "Subject: out\r\n\r\n");
    ASSERT_TRUE(added);
    EXPECT_EQ(check(true).findings, 0u) << findings_;
    EXPECT_EQ(*queue.read(*added, 0, 100), "Subject: out\r\n\r\n");
    // A row that cannot be read may lead to any body: none is dropped then.
    const auto row = kv::RowWriter().u8('q').id(message.id).take();
    change({kv::ShardKind::spool, message.id.bytes[0] % queue::partitions, 0},
           {kv::Put{row, "nonsense"}});
    EXPECT_FALSE(check(true).clean());
    EXPECT_THAT(findings_, HasSubstr("queue: a record is damaged"));
    EXPECT_TRUE(queue.read(*added, 0, 100));
}

TEST_F(Check, ASoundStoreIsClean) {
    const CheckReport report = check();
    EXPECT_EQ(report.findings, 0u) << findings_;
    EXPECT_EQ(report.mailboxes, 6u);
    EXPECT_EQ(report.messages, 7u);
    EXPECT_EQ(report.accounts, 1u);
}

class OwnSeen : public Check {
protected:
    void SetUp() override {
        Check::SetUp();
        ASSERT_TRUE(directory_.add_domain("example.org"));
        bob_ = directory_.add_user("bob@example.org", "")->id;
        ASSERT_TRUE(mail::wait<void>(
            [&](mail::Done<void> done) { mail_->set_own_seen(inbox_, true, std::move(done)); }));
        ASSERT_TRUE(mail::wait<mail::FlagResult>([&](mail::Done<mail::FlagResult> done) {
            mail_->change_flags({inbox_, bob_}, {1, 2},
                                {FlagMode::remove, only(SystemFlag::seen), {}}, std::move(done));
        }));
    }
    std::string unseen_by_bob() { return mail_->state({inbox_, bob_})->unseen.to_string(); }
    std::string told(AccountId who, ModSeq since) {
        UidSet uids;
        const auto changes = mail_->changes_since({inbox_, who}, since);
        if (!changes) return changes.error().text;
        for (const auto& each : changes->flags) uids.add(each.first);
        return uids.to_string();
    }

    directory::Directory directory_{*kv_};
    AccountId bob_;
};

TEST_F(OwnSeen, IsCleanAlsoAfterExpunges) {
    ASSERT_TRUE(expunge(inbox_, {1}, true));
    EXPECT_EQ(check().findings, 0u) << findings_;
    EXPECT_EQ(unseen_by_bob(), "2");
}

TEST_F(OwnSeen, MarksOfMessagesThatNeverWereAreMended) {
    change(mailbox_shard(inbox_),
           {kv::Put{mail::seen_marks_key(bob_, 0), UidSet{1, 2, head().uid_next}.serialize()}});
    expect_mended("tells of messages that never were");
    ASSERT_TRUE(append(inbox_, "later"));
    EXPECT_EQ(unseen_by_bob(), "1:2,7");
}

TEST_F(OwnSeen, DamagedMarksAreTakenAwayAndEverybodyLooksAgain) {
    const ModSeq before = head().highest_modseq;
    change(mailbox_shard(inbox_), {kv::Put{mail::seen_marks_key(bob_, 0), "nonsense"}});
    expect_mended("damaged bitmap");
    EXPECT_EQ(unseen_by_bob(), "");
    EXPECT_EQ(told(bob_, before), "1:2,5:6");
}

TEST_F(OwnSeen, ADamagedSettingIsMended) {
    change(mailbox_shard(inbox_), {kv::Put{std::string(mail::seen_mode_key), "nonsense"}});
    expect_mended("damaged setting");
    EXPECT_EQ(unseen_by_bob(), "1:2");
}

TEST_F(OwnSeen, DamagedHistoryIsMended) {
    const ModSeq before = head().highest_modseq;
    change(mailbox_shard(inbox_), {kv::Put{mail::seen_log_key(bob_, 0, before), "nonsense"}});
    expect_mended("history of \\Seen is damaged");
    change(mailbox_shard(inbox_),
           {kv::Put{mail::seen_log_key(bob_, 0, before + 1000), UidSet{1}.serialize()}});
    expect_mended("history of \\Seen is damaged");
    EXPECT_EQ(unseen_by_bob(), "1:2");
    EXPECT_EQ(told(bob_, before), "1:2,5:6");
}

TEST_F(OwnSeen, OfUsersThatAreGoneItIsLeftOver) {
    EXPECT_EQ(check().leftovers, 0u);
    ASSERT_TRUE(directory_.remove_user("bob@example.org"));
    EXPECT_EQ(check().leftovers, 1u);
    EXPECT_EQ(unseen_by_bob(), "1:2");
    const ModSeq before = head().highest_modseq;
    EXPECT_EQ(check(true).leftovers, 0u);
    EXPECT_EQ(check().leftovers, 0u);
    // A daemon that has the mailbox open sees it too.
    EXPECT_EQ(unseen_by_bob(), "");
    EXPECT_EQ(head().highest_modseq, before + 1);
    EXPECT_EQ(told(account_, before), "");
    EXPECT_TRUE(mail_->changes_since(inbox_, before)->complete);
}

TEST_F(OwnSeen, LeftoversOfAMailboxThatMovesAreCountedOnce) {
    ASSERT_TRUE(directory_.remove_user("bob@example.org"));
    for (const int changes : {2, 3}) {
        int looks = 0;
        test::HookedStore moving(*kv_, [&](const kv::ShardId& shard, std::string_view from) {
            if (shard == mailbox_shard(inbox_) && from == "w" && ++looks <= changes) {
                ASSERT_TRUE(append(inbox_, "meanwhile"));
            }
        });
        CheckOptions options;
        options.repair = changes == 3;
        const auto report = check_store(moving, options);
        ASSERT_TRUE(report);
        EXPECT_EQ(looks, 3);
        EXPECT_EQ(report->busy, changes == 3 ? 1u : 0u);
        EXPECT_EQ(report->leftovers, changes == 3 ? 0u : 1u);
    }
    EXPECT_EQ(unseen_by_bob(), "1:2,7:11");
}

TEST_F(Check, WrongSumsAreMended) {
    mail::Head wrong = head();
    wrong.bytes += 7;
    change(mailbox_shard(inbox_), {kv::Put{std::string(mail::head_key), encode(wrong)}});
    expect_mended("the sum of sizes");
    EXPECT_EQ(mail_->status(inbox_)->bytes, 4 * std::string("message 1").size());
}

TEST_F(Check, LostBitmapsAreMended) {
    change(mailbox_shard(inbox_), {kv::Erase{mail::bitmap_key(mail::existing_set, 0)},
                                   kv::Erase{mail::bitmap_key(mail::set_of(SystemFlag::seen), 0)},
                                   kv::Put{mail::bitmap_key(2, 0), "nonsense"}});
    expect_mended("bitmap");
    EXPECT_EQ(mail_->state(inbox_)->uids.to_string(), "1:2,5:6");
    EXPECT_EQ(mail_->with_keyword(inbox_, "kept")->size(), 4u);
    EXPECT_TRUE(mail_->state(inbox_)->unseen.empty());
}

TEST_F(Check, ALostHeadIsMadeAgainWithAFreshUidValidity) {
    const auto before = head();
    change(mailbox_shard(inbox_), {kv::Put{std::string(mail::head_key), "nonsense"}});
    expect_mended("damaged head");
    EXPECT_GT(head().uid_validity, before.uid_validity);
    EXPECT_EQ(mail_->state(inbox_)->uids.to_string(), "1:2,5:6");
    EXPECT_TRUE(append(inbox_, "goes on"));
}

TEST_F(Check, ADamagedMessageIsNamedAndTheOthersStay) {
    change(mailbox_shard(inbox_), {kv::Put{mail::uid_key('m', 5), "nonsense"}});
    const auto rows = mail_->rows(inbox_, mail_->state(inbox_)->uids, 10, true);
    ASSERT_TRUE(rows) << "reading goes on around it";
    EXPECT_EQ(rows->size(), 3u);
    check();
    EXPECT_THAT(findings_, HasSubstr("INBOX: the row of UID 5 is damaged"));
    check(true);
    EXPECT_EQ(mail_->state(inbox_)->uids.to_string(), "1:2,6");
    // Its body is not taken away in the run that lost the lead to it.
    EXPECT_THAT(findings_, HasSubstr("1 belong to no message"));
}

TEST_F(Check, ALostBodyIsNamed) {
    const auto rows = mail_->rows(inbox_, {6}, 1, false);
    kv::Batch batch;
    batch.shard = mailbox_shard(inbox_);
    batch.erased_blobs.push_back(rows->front().blob);
    ASSERT_TRUE(kv_->commit_and_wait(std::move(batch)));
    EXPECT_FALSE(check(true).clean());
    EXPECT_THAT(findings_, HasSubstr("INBOX UID 6: its body is lost"));
}

TEST_F(Check, StrayRowsAndBodiesAreTidied) {
    change(mailbox_shard(inbox_), {kv::Put{mail::uid_key('s', 99), "stray"}});
    expect_mended("1 summaries");
    kv::Batch batch;
    batch.shard = mailbox_shard(inbox_);
    batch.blobs.push_back(
        {kv_->new_blob_id(batch.shard), std::make_shared<const std::string>("x")});
    const BlobId stray = batch.blobs.front().id;
    ASSERT_TRUE(kv_->commit_and_wait(std::move(batch)));
    EXPECT_EQ(check().leftovers, 1u);
    EXPECT_EQ(check(true).leftovers, 0u);
    EXPECT_FALSE(kv_->read_blob(stray, 0, 1));
}

TEST_F(Check, OwnersOfACopiedBodyAreMended) {
    const BlobId body = mail_->rows(inbox_, {1}, 1, false)->front().blob;
    for (const kv::ShardId& shard : blob::link_shards()) {
        const auto page = kv_->scan(shard, "", "", 100);
        for (const kv::Row& row : page->rows) {
            if (blob::linked_blob(row) == body) change(shard, {kv::Erase{row.key}});
        }
    }
    expect_mended("its body does not know that it belongs to it");
    ASSERT_TRUE(expunge(inbox_, {1, 2, 5, 6}, true));
    EXPECT_EQ(texts(id("Archive")).front(), "message 1");
}

TEST_F(Check, MailboxesWithoutANameAreFoundAgain) {
    ASSERT_TRUE(mail::change_names(*kv_, account_, [](mail::NameTable& table) {
        table.names.erase("Archive");
        table.names.erase("Trash");
        return Result<void>();
    }));
    expect_mended("has messages, but no name");
    const auto list = mail_->list(account_);
    const auto found = std::find_if(list->begin(), list->end(), [](const auto& info) {
        return info.name.find("Recovered") == 0;
    });
    ASSERT_NE(found, list->end());
    EXPECT_EQ(texts(found->id).size(), 3u);
}

TEST_F(Check, PoolsAreTidied) {
    mail::Pools pools(*kv_);
    const auto pool = pools.add("p", {1, 1});
    ASSERT_TRUE(pools.assign(account_, {pool->number, {}}));
    change(mail::account_shard(account_), {kv::Erase{"q"}});
    expect_mended("which is not in it");
}

TEST_F(Check, FindsNothingWhileMailMoves) {
    std::atomic<bool> stop = false;
    std::thread busy([&] {
        for (int i = 0; !stop; ++i) {
            EXPECT_TRUE(append(inbox_, "busy " + std::to_string(i)));
            const auto state = mail_->state(inbox_);
            EXPECT_TRUE(transfer(inbox_, {state->uids.max()}, id("Trash"), true));
            if (i % 3 == 0) {
                EXPECT_TRUE(expunge(id("Trash"), mail_->state(id("Trash"))->uids, true));
            }
        }
    });
    for (int i = 0; i < 10; ++i) {
        CheckOptions options;
        options.repair = true;
        options.found = [&](const Finding& finding) {
            ADD_FAILURE() << finding.where << ": " << finding.what;
        };
        EXPECT_TRUE(check_store(*kv_, options));
    }
    stop = true;
    busy.join();
    EXPECT_EQ(check().findings, 0u) << findings_;
}

}  // namespace
}  // namespace postern::care

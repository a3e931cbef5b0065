#include "store/care/backup.h"

#include "store/care/check.h"
#include "store/care/pack.h"
#include "store/directory/directory.h"
#include "store/mail/pools.h"
#include "tests/store/mail/fixture.h"

#include <filesystem>
#include <fstream>

namespace postern::care {
namespace {

using mail::mailbox_object_id;

class Backup : public mail::MailStoreFixture {
protected:
    void SetUp() override {
        directory::Directory directory(*kv_);
        ASSERT_TRUE(directory.add_domain("example.org"));
        const auto user = directory.add_user("ann@example.org", "hash");
        ASSERT_TRUE(user);
        user_ = user->id;
        open();
        ASSERT_TRUE(wait_create(*mail_, user_));
        inbox_ = mail_->find(user_, "INBOX")->id;
        for (int i = 1; i <= 5; ++i) {
            ASSERT_TRUE(append(inbox_, "message " + std::to_string(i), only(SystemFlag::flagged)));
        }
        ASSERT_TRUE(transfer(inbox_, {1}, mail_->find(user_, "Archive")->id, false));
    }
    static Result<void> wait_create(mail::MailStore& mail, AccountId account) {
        return mail::wait<void>(
            [&](mail::Done<void> done) { mail.create_account(account, std::move(done)); });
    }
    std::string repository() const { return folder_.string() + ".backup"; }
    void TearDown() override { std::filesystem::remove_all(repository()); }

    BackupReport save(std::int64_t seconds) {
        const auto report = backup(*kv_, repository(), from_unix_ms(seconds * 1000), {},
                                   [&](const std::string& text) { problems_ += text + "\n"; });
        EXPECT_TRUE(report) << report.error().text;
        return report ? *report : BackupReport{};
    }
    RestoreOptions options() const {
        RestoreOptions options;
        options.folder = repository();
        options.now = from_unix_ms(1'900'000'000'000);
        return options;
    }
    Result<RestoreReport> bring_back(kv::Store& store, const RestoreOptions& options) {
        return restore(store, options, {},
                       [&](const std::string& text) { problems_ += text + "\n"; });
    }
    std::uint64_t findings(kv::Store& store) {
        CheckOptions checking;
        checking.alone = true;
        checking.found = [&](const Finding& finding) {
            problems_ += finding.where + ": " + finding.what + "\n";
        };
        const auto report = check_store(store, checking);
        EXPECT_TRUE(report);
        return report ? report->findings : 1;
    }

    AccountId user_;
    MailboxId inbox_;
    std::string problems_;
};

TEST_F(Backup, AWholeStoreComesBackAsItWas) {
    ASSERT_TRUE(mail::wait<void>([&](mail::Done<void> done) {
        mail_->annotate(user_, inbox_, {{"/shared/comment", "kept"}}, std::move(done));
    }));
    const auto pool = mail::Pools(*kv_).add("acme", {1000, 2000});
    ASSERT_TRUE(mail::Pools(*kv_).assign(user_, {pool->number, {}}));
    save(1'700'000'000);
    EXPECT_EQ(problems_, "");
    const auto fresh = kv::make_memory_store();
    const auto restored = bring_back(*fresh, options());
    ASSERT_TRUE(restored) << restored.error().text;
    EXPECT_EQ(restored->messages, 6u);
    EXPECT_EQ(findings(*fresh), 0u) << problems_;
    const auto before = mail_->state(inbox_);
    auto copy = mail::MailStore::open(*fresh, [] { return Time(); });
    ASSERT_TRUE(copy);
    const auto after = (*copy)->state(inbox_);
    ASSERT_TRUE(after);
    EXPECT_EQ(after->uid_validity, before->uid_validity);
    EXPECT_EQ(after->uids.to_string(), before->uids.to_string());
    const auto rows = (*copy)->rows(inbox_, after->uids, 10, true);
    ASSERT_EQ(rows->size(), 5u);
    EXPECT_EQ((*rows)[4].summary, "summary of message 5");
    EXPECT_TRUE((*rows)[4].flags.has(SystemFlag::flagged));
    EXPECT_EQ(*(*copy)->read((*rows)[4].blob, 0, 100), "message 5");
    EXPECT_EQ((*rows)[0].email_id, mail_->rows(inbox_, {1}, 1, false)->front().email_id);
    EXPECT_EQ((*copy)->annotations(user_, inbox_)->size(), 1u);
    EXPECT_EQ((*copy)->quota(user_)->size(), 1u);
    EXPECT_EQ((*copy)->quota(user_)->front().used_bytes, 6u * 9u);
    EXPECT_TRUE(directory::Directory(*fresh).find("ann@example.org")->has_value());
    EXPECT_EQ(bring_back(*fresh, options()).error().code, Errc::exists);
}

TEST_F(Backup, EachPersonsOwnSeenComesBack) {
    const AccountId bob = directory::Directory(*kv_).add_user("bob@example.org", "")->id;
    ASSERT_TRUE(mail::wait<void>(
        [&](mail::Done<void> done) { mail_->set_own_seen(inbox_, true, std::move(done)); }));
    ASSERT_TRUE(mail::wait<mail::FlagResult>([&](mail::Done<mail::FlagResult> done) {
        mail_->change_flags({inbox_, bob}, {2, 4}, {FlagMode::add, only(SystemFlag::seen), {}},
                            std::move(done));
    }));
    const auto unseen = mail_->state({inbox_, bob})->unseen.to_string();
    save(1'700'000'000);
    const auto fresh = kv::make_memory_store();
    ASSERT_TRUE(bring_back(*fresh, options()));
    auto copy = mail::MailStore::open(*fresh, [] { return Time(); });
    EXPECT_TRUE((*copy)->state(inbox_)->own_seen);
    EXPECT_EQ((*copy)->state({inbox_, bob})->unseen.to_string(), unseen);
    EXPECT_EQ((*copy)->state(inbox_)->unseen, mail_->state(inbox_)->unseen);
    EXPECT_EQ(findings(*fresh), 0u) << problems_;
    RestoreOptions one = options();
    one.address = "ann@example.org";
    one.mailbox = "INBOX";
    const auto restored = bring_back(*kv_, one);
    ASSERT_TRUE(restored) << restored.error().text;
    const auto beside = mail_->find(user_, restored->names.front());
    ASSERT_TRUE(beside);
    EXPECT_EQ(mail_->state({beside->id, bob})->unseen.to_string(), unseen);
    EXPECT_EQ(findings(*kv_), 0u) << problems_;
}

// On another machine the same number is somebody else.
TEST_F(Backup, WhatIsAPersonsComesBackToThatPerson) {
    directory::Directory here(*kv_);
    const AccountId bob = here.add_user("bob@example.org", "")->id;
    const AccountId gone = here.add_user("gone@example.org", "")->id;
    ASSERT_TRUE(mail::wait<void>(
        [&](mail::Done<void> done) { mail_->set_own_seen(inbox_, true, std::move(done)); }));
    for (const auto& [who, uid] : {std::pair(user_, 1), std::pair(bob, 2), std::pair(gone, 3)}) {
        ASSERT_TRUE(mail::wait<mail::FlagResult>([&](mail::Done<mail::FlagResult> done) {
            mail_->change_flags({inbox_, who}, {static_cast<Uid>(uid)},
                                {FlagMode::add, only(SystemFlag::seen), {}}, std::move(done));
        }));
        ASSERT_TRUE(mail::wait<void>([&](mail::Done<void> done) {
            mail_->annotate(who, inbox_, {{"/private/comment", std::to_string(uid)}},
                            std::move(done));
        }));
    }
    save(1'700'000'000);
    const auto there = kv::make_memory_store();
    directory::Directory directory(*there);
    ASSERT_TRUE(directory.add_domain("example.org"));
    std::map<std::string, AccountId> ids;
    for (const char* name : {"zoe", "cy", "bob", "ann"}) {
        ids[name] = directory.add_user(std::string(name) + "@example.org", "")->id;
    }
    ASSERT_EQ(ids["zoe"], user_);
    ASSERT_EQ(ids["cy"], bob);
    ASSERT_EQ(ids["bob"], gone);
    RestoreOptions one = options();
    one.address = "ann@example.org";
    one.mailbox = "INBOX";
    ASSERT_TRUE(bring_back(*there, one)) << problems_;
    auto copy = mail::MailStore::open(*there, [] { return Time(); });
    const MailboxId inbox = (*copy)->find(ids["ann"], "INBOX")->id;
    const auto seen = [&](AccountId who) {
        return (*copy)->with_flag({inbox, who}, SystemFlag::seen)->to_string();
    };
    EXPECT_EQ(seen(ids["ann"]), "1");
    EXPECT_EQ(seen(ids["bob"]), "2");
    EXPECT_EQ(seen(ids["zoe"]), "");
    EXPECT_EQ(seen(ids["cy"]), "");
    using Entries = std::map<std::string, std::string>;
    const auto entries = [&](const char* name) { return *(*copy)->annotations(ids[name], inbox); };
    EXPECT_EQ(entries("ann"), (Entries{{"/private/comment", "1"}}));
    EXPECT_EQ(entries("bob"), (Entries{{"/private/comment", "2"}}));
    EXPECT_EQ(entries("zoe"), Entries());
    EXPECT_EQ(entries("cy"), Entries());
    EXPECT_EQ(findings(*there), 0u) << problems_;
}

TEST_F(Backup, TheSecondRunWritesOnlyWhatIsNew) {
    const auto first = save(1'700'000'000);
    const auto second = save(1'700'000'060);
    EXPECT_EQ(second.unchanged, 12u);
    EXPECT_LT(second.added_bytes, first.added_bytes / 4);
    ASSERT_TRUE(append(inbox_, std::string(50'000, 'n')));
    const auto third = save(1'700'000'120);
    EXPECT_EQ(third.unchanged, 11u);
    EXPECT_EQ(third.messages, 6u);
    EXPECT_LT(third.added_bytes, 20'000u);
}

TEST_F(Backup, APointInTimeCanBeChosen) {
    save(1'700'000'000);
    ASSERT_TRUE(append(inbox_, "late"));
    save(1'700'003'600);
    RestoreOptions early = options();
    early.snapshot = "20231114T223000Z";
    const auto fresh = kv::make_memory_store();
    const auto restored = bring_back(*fresh, early);
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->snapshot, "20231114T221320Z");
    EXPECT_EQ(restored->messages, 6u);
    early.snapshot = "20200101T000000Z";
    EXPECT_EQ(bring_back(*fresh, early).error().code, Errc::not_found);
}

TEST_F(Backup, AUsersMailComesBackBesideWhatIsThere) {
    save(1'700'000'000);
    ASSERT_TRUE(mail::wait<UidSet>([&](mail::Done<UidSet> done) {
        mail_->expunge(inbox_, {1, 2, 3, 4, 5}, true, std::move(done));
    }));
    ASSERT_TRUE(mail::wait<void>(
        [&](mail::Done<void> done) { mail_->remove(user_, "Archive", std::move(done)); }));
    RestoreOptions wanted = options();
    wanted.address = "ann@example.org";
    const auto restored = bring_back(*kv_, wanted);
    ASSERT_TRUE(restored) << restored.error().text;
    EXPECT_EQ(restored->mailboxes, 6u);
    const auto inbox = mail_->find(user_, "Restored 20231114T221320Z/INBOX");
    ASSERT_TRUE(inbox);
    EXPECT_EQ(texts(inbox->id).size(), 5u);
    const auto archive = mail_->find(user_, "Archive");
    ASSERT_TRUE(archive) << "a free name is taken again";
    EXPECT_EQ(texts(archive->id).front(), "message 1");
    EXPECT_EQ(findings(*kv_), 0u) << problems_;
    wanted.mailbox = "Nothing";
    EXPECT_EQ(bring_back(*kv_, wanted).error().code, Errc::not_found);
}

TEST_F(Backup, DamageInTheBackupIsNamedAndTheRestComesBack) {
    save(1'700'000'000);
    const auto row = mail_->rows(inbox_, {4}, 1, false)->front();
    const std::string path = repository() + "/bodies/0.pack";
    auto bytes = read_file(path);
    ASSERT_TRUE(bytes);
    const std::string id(reinterpret_cast<const char*>(row.blob.bytes.data()), 16);
    const auto at = bytes->find(id);
    ASSERT_NE(at, std::string::npos);
    (*bytes)[at + 16 + 4 + 8 + 3] ^= 1;
    ASSERT_TRUE(write_file(path, *bytes));
    const auto fresh = kv::make_memory_store();
    const auto restored = bring_back(*fresh, options());
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->problems, 1u);
    EXPECT_NE(problems_.find("ann@example.org INBOX UID 4"), std::string::npos) << problems_;
    auto copy = mail::MailStore::open(*fresh, [] { return Time(); });
    EXPECT_EQ((*copy)->state(inbox_)->uids.to_string(), "1:3,5");
    EXPECT_EQ(findings(*fresh), 0u) << problems_;
}

TEST_F(Backup, ARunThatWasCutOffIsTakenUp) {
    save(1'700'000'000);
    const std::string path = repository() + "/bodies/0.pack";
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    std::filesystem::remove_all(repository() + "/snapshots");
    save(1'700'000'060);
    const auto fresh = kv::make_memory_store();
    const auto restored = bring_back(*fresh, options());
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->problems, 0u) << problems_;
    EXPECT_EQ(restored->messages, 6u);
}

}  // namespace
}  // namespace postern::care

#include "store/blob/dictionary.h"
#include "store/care/backup.h"
#include "store/directory/directory.h"
#include "store/mail/rows.h"
#include "tests/store/mail/fixture.h"
#include "tests/store/support/hooked_store.h"
#include "tests/store/support/mail_text.h"

#include <filesystem>
#include <set>

namespace postern::care {
namespace {

class BackupRace : public mail::MailStoreFixture {
protected:
    void SetUp() override {
        MailStoreFixture::SetUp();
        for (int i = 1; i <= 5; ++i) {
            ASSERT_TRUE(append(id("INBOX"), "message " + std::to_string(i)));
        }
    }
    void TearDown() override { std::filesystem::remove_all(folder_.string() + ".backup"); }

    // Backs up while `meddle` is called before each read of the messages of a mailbox.
    BackupReport save(const std::function<void(MailboxId, int)>& meddle) {
        int reads = 0;
        test::HookedStore hooked(*kv_, [&](const kv::ShardId& shard, std::string_view from) {
            const bool messages = shard.kind == kv::ShardKind::mailbox && from == "m";
            if (messages) meddle(MailboxId{shard.number}, ++reads);
        });
        const auto report =
            backup(hooked, folder_.string() + ".backup", from_unix_ms(1'700'000'000'000), {}, {});
        EXPECT_TRUE(report);
        return report ? *report : BackupReport{};
    }
    // The texts that a restored store has.
    std::multiset<std::string> restored() {
        std::multiset<std::string> found;
        const auto fresh = kv::make_memory_store();
        RestoreOptions options;
        options.folder = folder_.string() + ".backup";
        options.now = from_unix_ms(1'800'000'000'000);
        EXPECT_TRUE(restore(*fresh, options, {}, {}));
        auto copy = mail::MailStore::open(*fresh, [] { return Time(); });
        EXPECT_TRUE(copy);
        for (const auto& mailbox : *(*copy)->list(account_)) {
            const auto state = (*copy)->state(mailbox.id);
            EXPECT_TRUE(state) << mailbox.name;
            if (!state) continue;
            for (const auto& row : *(*copy)->rows(mailbox.id, state->uids, 100, false)) {
                found.insert(*(*copy)->read(row.blob, 0, row.size));
            }
        }
        return found;
    }
    const std::multiset<std::string> all_{"message 1", "message 2", "message 3", "message 4",
                                          "message 5"};
};

TEST_F(BackupRace, WhatMovesBackIntoAMailboxReadBeforeIsThereOnce) {
    // Archive is read before INBOX; then messages move from the latter to the former.
    bool moved = false;
    const auto report = save([&](MailboxId mailbox, int) {
        if (mailbox != id("INBOX") || moved) return;
        moved = true;
        ASSERT_TRUE(transfer(id("INBOX"), {1, 2}, id("Archive"), true));
    });
    EXPECT_TRUE(moved);
    EXPECT_EQ(report.moving, 0u);
    EXPECT_EQ(report.messages, 5u);
    EXPECT_EQ(restored(), all_);
}

TEST_F(BackupRace, WhatMovesIntoAMailboxMadeMeanwhileIsThereOnce) {
    bool moved = false;
    const auto report = save([&](MailboxId, int reads) {
        if (reads != 1) return;
        moved = true;
        ASSERT_TRUE(create("Aside"));
        ASSERT_TRUE(transfer(id("INBOX"), {3, 4}, id("Aside"), true));
    });
    EXPECT_TRUE(moved);
    EXPECT_EQ(report.moving, 0u);
    EXPECT_EQ(report.messages, 5u);
    EXPECT_EQ(restored(), all_);
}

TEST_F(BackupRace, AMailboxThatIsRenamedMeanwhileIsThereOnce) {
    ASSERT_TRUE(create("One"));
    ASSERT_TRUE(transfer(id("INBOX"), {5}, id("One"), true));
    bool renamed = false;
    save([&](MailboxId, int reads) {
        if (reads == 1) renamed = rename("One", "Two").has_value();
    });
    EXPECT_TRUE(renamed);
    EXPECT_EQ(restored(), all_);
}

TEST_F(BackupRace, ADictionaryThatCameMeanwhileIsThereWithTheMailThatNeedsIt) {
    std::vector<std::string> samples;
    for (unsigned i = 0; i < 400; ++i) samples.push_back(test::mail_text(i));
    const auto trained = blob::train(samples);
    ASSERT_TRUE(trained);
    const std::string text = test::mail_text(5000);
    save([&](MailboxId, int reads) {
        if (reads != 1) return;
        ASSERT_TRUE(blob::Dictionaries::of(*kv_)->add(*trained));
        ASSERT_TRUE(append(id("INBOX"), text));
    });
    EXPECT_EQ(restored().count(text), 1u);
}

}  // namespace
}  // namespace postern::care

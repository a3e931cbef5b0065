// The index follows the mailboxes in the background.
#include "gateway/search_index/search_index.h"
#include "tests/gateway/imap_service/mailbox_fixture.h"
#include "tests/store/support/temp_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace postern::search_index {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::IsEmpty;

constexpr std::size_t min_missing = 5;

class IndexingTest : public imap_service::MailboxTest {
protected:
    void SetUp() override {
        MailboxTest::SetUp();
        options_.folder = folder_.string();
        options_.min_missing = min_missing;
        options_.look_after = 10ms;
        options_.tidy_after = 50ms;
        options_.warn = [this](std::string_view text) {
            std::lock_guard lock(mutex_);
            warnings_.emplace_back(text);
        };
    }
    void start_unasked() {
        index_ = std::make_unique<SearchIndex>(*kv_, *mail_, options_);
        index_->start();
    }
    void start() {
        start_unasked();
        index_->was_selected(box("INBOX"));
    }
    void add_many(std::size_t count, const std::string& name = "INBOX") {
        for (std::size_t i = 0; i < count; ++i) add_to(name, "Subject: a\n\nbody\n");
    }
    std::uint64_t covered(MailboxId id) {
        const auto state = mail_->state(id);
        return index_->open(id, state ? state->uid_validity : 0)->covered().size();
    }
    static bool becomes(const std::function<bool()>& wanted) {
        for (const auto end = std::chrono::steady_clock::now() + 60s;
             std::chrono::steady_clock::now() < end;) {
            if (wanted()) return true;
            std::this_thread::sleep_for(5ms);
        }
        return false;
    }
    bool indexed(MailboxId id, std::uint64_t count) {
        return becomes([&] { return covered(id) == count; });
    }

    test::TempFolder folder_;
    Options options_;
    std::mutex mutex_;
    std::vector<std::string> warnings_;
    std::unique_ptr<SearchIndex> index_;
};

TEST_F(IndexingTest, MailThatComesIsIndexedWhenItIsWorthIt) {
    start();
    add_many(min_missing - 1);
    std::this_thread::sleep_for(200ms);
    EXPECT_EQ(covered(box("INBOX")), 0);
    EXPECT_FALSE(fs::exists(mailbox_folder(options_.folder, box("INBOX"))));
    add_many(1);
    EXPECT_TRUE(indexed(box("INBOX"), min_missing));
    add_many(min_missing + 1);
    EXPECT_TRUE(becomes([&] { return covered(box("INBOX")) > min_missing; }));
    EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(IndexingTest, MailThatWasThereIsIndexedAtTheStart) {
    add_many(min_missing);
    start();
    EXPECT_TRUE(indexed(box("INBOX"), min_missing));
    EXPECT_TRUE(becomes([&] { return index_->status().added == min_missing; }));
    index_->stop();
    EXPECT_EQ(index_->status().busy, false);
}

TEST_F(IndexingTest, WhatNobodySelectedHasNoIndex) {
    add_many(min_missing, "Sent");
    add_many(min_missing);
    start();
    ASSERT_TRUE(indexed(box("INBOX"), min_missing));
    EXPECT_TRUE(becomes([&] { return index_->status().waiting == 0; }));
    EXPECT_FALSE(fs::exists(mailbox_folder(options_.folder, box("Sent"))));
    index_->was_selected(box("Sent"));
    EXPECT_TRUE(indexed(box("Sent"), min_missing));
}

TEST_F(IndexingTest, WhatHasAnIndexKeepsItOverARestart) {
    add_many(min_missing);
    start();
    const auto inbox = box("INBOX");
    ASSERT_TRUE(indexed(inbox, min_missing));
    index_->stop();
    start_unasked();
    add_many(min_missing);
    EXPECT_TRUE(indexed(inbox, 2 * min_missing));
}

TEST_F(IndexingTest, SelectedMailboxesAreRememberedUpToALimit) {
    const std::vector<std::string> names{"A", "B", "C"};
    for (std::size_t limit = names.size() - 1; limit <= names.size() + 1; ++limit) {
        options_.max_selected = limit;
        index_ = std::make_unique<SearchIndex>(*kv_, *mail_, options_);
        const auto suffix = std::to_string(limit);
        for (const auto& name : names) {
            ASSERT_TRUE(mail::wait<mail::MailboxInfo>([&](auto done) {
                mail_->create(account_, name + suffix, mail::SpecialUse::none, done);
            }));
            add_many(min_missing, name + suffix);
            index_->was_selected(box(name + suffix));
        }
        index_->start();
        EXPECT_TRUE(indexed(box("C" + suffix), min_missing));
        EXPECT_TRUE(becomes([&] { return index_->status().waiting == 0; }));
        const auto first = mailbox_folder(options_.folder, box("A" + suffix));
        EXPECT_EQ(fs::exists(first), limit >= names.size()) << limit;
        // What was forgotten is known again when it is selected again.
        index_->was_selected(box("A" + suffix));
        EXPECT_TRUE(indexed(box("A" + suffix), min_missing));
    }
}

TEST_F(IndexingTest, WhatLeavesTheMailboxLeavesTheIndex) {
    add_many(min_missing + 3);
    start();
    ASSERT_TRUE(indexed(box("INBOX"), min_missing + 3));
    ASSERT_TRUE(mail::wait<UidSet>(
        [&](auto done) { mail_->expunge(box("INBOX"), {2}, true, done); }));
    EXPECT_TRUE(indexed(box("INBOX"), min_missing + 2));
}

TEST_F(IndexingTest, MailboxesAndUsersTakeTheirIndexAlong) {
    add_many(min_missing);
    add_many(min_missing, "Sent");
    start();
    index_->was_selected(box("Sent"));
    const auto inbox = box("INBOX");
    const auto sent = box("Sent");
    ASSERT_TRUE(indexed(inbox, min_missing) && indexed(sent, min_missing));
    ASSERT_TRUE(mail::wait<void>([&](auto done) { mail_->remove(account_, "Sent", done); }));
    const auto gone = [&](MailboxId id) {
        return becomes([&] { return !fs::exists(mailbox_folder(options_.folder, id)); });
    };
    EXPECT_TRUE(gone(sent));
    EXPECT_TRUE(fs::exists(mailbox_folder(options_.folder, inbox)));
    // Also when nobody looks at that moment.
    index_->stop();
    ASSERT_TRUE(mail::wait<void>([&](auto done) { mail_->remove_account(account_, done); }));
    start_unasked();
    EXPECT_TRUE(gone(inbox));
}

TEST_F(IndexingTest, ADamagedIndexIsBuiltAnew) {
    add_many(min_missing);
    start();
    const auto id = box("INBOX");
    ASSERT_TRUE(indexed(id, min_missing));
    index_->rebuild(id, "told by a search");
    EXPECT_TRUE(becomes([&] { return index_->status().added == 2 * min_missing; }));
    EXPECT_TRUE(indexed(id, min_missing));
    std::lock_guard lock(mutex_);
    EXPECT_THAT(warnings_, testing::SizeIs(1));
}

TEST_F(IndexingTest, AnotherWriterIsWaitedFor) {
    add_many(min_missing);
    const auto id = box("INBOX");
    auto other = fulltext::IndexWriter::open(mailbox_folder(options_.folder, id),
                                             mail_->state(id)->uid_validity);
    ASSERT_TRUE(other.has_value());
    EXPECT_EQ(update_index(*mail_, options_.folder, id, {}).error().code, Errc::conflict);
    start();
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(covered(id), 0);
    other->reset();
    EXPECT_TRUE(indexed(id, min_missing));
}

}  // namespace
}  // namespace postern::search_index

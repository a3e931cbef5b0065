#include "tests/store/mail/fixture.h"

#include <thread>

namespace postern::mail {
namespace {

using Texts = std::vector<std::string>;
constexpr auto seen = SystemFlag::seen;
constexpr auto deleted = SystemFlag::deleted;

class Messages : public MailStoreFixture {};

TEST_F(Messages, AppendedMessageReadsBackWithAllThatWasGiven) {
    const MailboxId inbox = id("INBOX");
    const auto appended = append(inbox, "one", only(seen));
    ASSERT_TRUE(appended) << appended.error().text;
    EXPECT_EQ(appended->uid, 1u);
    const auto rows = mail_->rows(inbox, {1}, 10, true);
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1u);
    const MessageRow& row = rows->front();
    EXPECT_EQ(row.size, 3u);
    EXPECT_EQ(row.summary, "summary of one");
    EXPECT_EQ(row.modseq, appended->modseq);
    EXPECT_TRUE(row.flags.has(seen));
    EXPECT_EQ(to_unix_ms(row.internal_date), 1'000'000);
    EXPECT_EQ(mail_->read(row.blob, 1, 1).value(), "n");
    EXPECT_EQ(mail_->report(inbox, 1).value(), "report of one");
    const auto state = mail_->state(inbox);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->uid_next, 2u);
    EXPECT_EQ(state->bytes, 3u);
    EXPECT_TRUE(state->unseen.empty());
    EXPECT_EQ(state->recent, (UidSet{1}));
}

TEST_F(Messages, SameOperationIsDeliveredOnce) {
    const MailboxId inbox = id("INBOX");
    const OperationId operation = kv::random_id();
    const auto first = append(inbox, "once", {}, operation);
    const auto again = append(inbox, "once", {}, operation);
    open();
    const auto later = append(inbox, "once", {}, operation);
    ASSERT_TRUE(first && again && later);
    EXPECT_EQ(again->uid, first->uid);
    EXPECT_EQ(later->uid, first->uid);
    EXPECT_EQ(texts(inbox), Texts{"once"});
}

TEST_F(Messages, WhatTwoMoveAtOnceArrivesOnce) {
    const MailboxId inbox = id("INBOX");
    const MailboxId targets[] = {id("Archive"), id("Trash")};
    UidSet all;
    for (int i = 0; i < 50; ++i) all.add(append(inbox, "m" + std::to_string(i)).value().uid);
    std::vector<std::thread> movers;
    for (const MailboxId target : targets) {
        movers.emplace_back([&, target] {
            all.for_each([&](Uid uid) {
                EXPECT_TRUE(transfer(inbox, {uid}, target, true));
                return true;
            });
        });
    }
    for (auto& mover : movers) mover.join();
    EXPECT_TRUE(texts(inbox).empty());
    EXPECT_EQ(texts(targets[0]).size() + texts(targets[1]).size(), 50u);
}

TEST_F(Messages, AppendToAMissingMailboxIsRefused) {
    const auto appended = append(MailboxId{12345}, "x");
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code, Errc::not_found);
    EXPECT_FALSE(append(id("INBOX"), ""));
}

TEST_F(Messages, FlagsAreReplacedAddedAndRemoved) {
    const MailboxId inbox = id("INBOX");
    for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(append(inbox, text));
    Flags both = keyword("$Work");
    both.set(seen);
    auto result = change(inbox, {1, 2, 9}, FlagMode::add, both);
    ASSERT_TRUE(result);
    ASSERT_EQ(result->changed.size(), 2u);
    EXPECT_EQ(result->changed[0].second, both);
    EXPECT_EQ(mail_->with_flag(inbox, seen).value(), (UidSet{1, 2}));
    EXPECT_EQ(mail_->with_keyword(inbox, "$work").value(), (UidSet{1, 2}));
    result = change(inbox, {1}, FlagMode::remove, keyword("$WORK"));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->changed[0].second, only(seen));
    result = change(inbox, {2}, FlagMode::replace, {});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->changed[0].second, Flags());
    EXPECT_EQ(mail_->with_flag(inbox, seen).value(), (UidSet{1}));
    EXPECT_TRUE(mail_->with_keyword(inbox, "$Work").value().empty());
}

TEST_F(Messages, ConditionalFlagsSparePeopleFromOverwriting) {
    const MailboxId inbox = id("INBOX");
    const auto first = append(inbox, "a");
    ASSERT_TRUE(first && append(inbox, "b"));
    ASSERT_TRUE(change(inbox, {2}, FlagMode::add, only(seen)));
    const ModSeq before = mail_->rows(inbox, {2}, 1, false).value().front().modseq - 1;
    const auto result = change(inbox, {1, 2}, FlagMode::add, only(deleted), before);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->modified, (UidSet{2}));
    EXPECT_EQ(mail_->with_flag(inbox, deleted).value(), (UidSet{1}));
}

TEST_F(Messages, KeywordsAreBoundedAndFreedSlotsUsedAgain) {
    const MailboxId inbox = id("INBOX");
    ASSERT_TRUE(append(inbox, "a"));
    for (std::size_t i = 0; i < max_keywords_per_mailbox; ++i) {
        ASSERT_TRUE(change(inbox, {1}, FlagMode::add, keyword("k" + std::to_string(i)))) << i;
    }
    const auto over = change(inbox, {1}, FlagMode::add, keyword("one-more"));
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Errc::limit);
    ASSERT_TRUE(change(inbox, {1}, FlagMode::remove, keyword("k5")));
    ASSERT_TRUE(change(inbox, {1}, FlagMode::add, keyword("one-more")));
    EXPECT_EQ(mail_->with_keyword(inbox, "one-more").value(), (UidSet{1}));
    EXPECT_FALSE(change(inbox, {1}, FlagMode::add, keyword("not an atom")));
    EXPECT_FALSE(change(inbox, {1}, FlagMode::remove, keyword("k5")).value().changed.empty());
}

TEST_F(Messages, KeywordLengthLimit) {
    const MailboxId inbox = id("INBOX");
    ASSERT_TRUE(append(inbox, "a"));
    const std::string longest(max_keyword_bytes, 'k');
    EXPECT_TRUE(change(inbox, {1}, FlagMode::add, keyword(longest.substr(1))));
    EXPECT_TRUE(change(inbox, {1}, FlagMode::add, keyword(longest)));
    EXPECT_FALSE(change(inbox, {1}, FlagMode::add, keyword(longest + "k")));
}

TEST_F(Messages, ExpungeTakesOnlyDeletedOnesUnlessTold) {
    const MailboxId inbox = id("INBOX");
    for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(append(inbox, text));
    ASSERT_TRUE(change(inbox, {1, 3}, FlagMode::add, only(deleted)));
    EXPECT_EQ(expunge(inbox, {2, 3}, false).value(), (UidSet{3}));
    EXPECT_EQ(texts(inbox), (Texts{"a", "b"}));
    EXPECT_EQ(expunge(inbox, {1, 2}, true).value(), (UidSet{1, 2}));
    EXPECT_EQ(mail_->state(inbox)->bytes, 0u);
    ASSERT_TRUE(append(inbox, "d"));
    EXPECT_EQ(mail_->state(inbox)->uids, (UidSet{4})) << "UIDs are never used again";
}

TEST_F(Messages, BodiesGoWithTheirLastMessage) {
    const MailboxId inbox = id("INBOX");
    ASSERT_TRUE(append(inbox, "body"));
    const BlobId blob = mail_->rows(inbox, {1}, 1, false)->front().blob;
    ASSERT_TRUE(transfer(inbox, {1}, id("Archive"), false));
    ASSERT_TRUE(expunge(inbox, {1}, true));
    EXPECT_EQ(texts(id("Archive")), Texts{"body"});
    ASSERT_TRUE(expunge(id("Archive"), {1}, true));
    for (int i = 0; i < 1000 && mail_->read(blob, 0, 1); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const auto gone = mail_->read(blob, 0, 1);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, Errc::not_found);
}

TEST_F(Messages, CopyKeepsFlagsDatesAndReasons) {
    const MailboxId inbox = id("INBOX");
    Flags flags = keyword("$Label1");
    flags.set(seen);
    ASSERT_TRUE(append(inbox, "a", flags) && append(inbox, "b"));
    const auto copied = transfer(inbox, {1, 2, 3}, id("Archive"), false);
    ASSERT_TRUE(copied);
    EXPECT_EQ(copied->from, (std::vector<Uid>{1, 2}));
    EXPECT_EQ(copied->to, (std::vector<Uid>{1, 2}));
    const auto rows = mail_->rows(id("Archive"), {1, 2}, 10, true);
    ASSERT_TRUE(rows && rows->size() == 2);
    EXPECT_EQ(rows->at(0).flags, flags);
    EXPECT_EQ(rows->at(0).summary, "summary of a");
    EXPECT_EQ(to_unix_ms(rows->at(0).internal_date), 1'000'000);
    EXPECT_EQ(mail_->report(id("Archive"), 2).value(), "report of b");
    EXPECT_EQ(texts(inbox), (Texts{"a", "b"}));
}

TEST_F(Messages, MoveTakesThemAlongInChunks) {
    const MailboxId inbox = id("INBOX");
    Texts expected;
    UidSet all;
    for (Uid uid = 1; uid <= 250; ++uid) {
        expected.push_back("m" + std::to_string(uid));
        ASSERT_TRUE(append(inbox, expected.back()));
        all.add(uid);
    }
    const auto moved = transfer(inbox, all, id("Junk"), true);
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->from.size(), 250u);
    EXPECT_EQ(texts(id("Junk")), expected);
    EXPECT_TRUE(texts(inbox).empty());
    const auto back = transfer(id("Junk"), {1}, inbox, true);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->to, std::vector<Uid>{251});
}

TEST_F(Messages, FailedCopyLeavesNothing) {
    const MailboxId inbox = id("INBOX");
    ASSERT_TRUE(append(inbox, "a"));
    const auto copied = transfer(inbox, {1}, MailboxId{99}, false);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, Errc::not_found);
    EXPECT_FALSE(transfer(inbox, {1}, MailboxId{99}, true));
    EXPECT_EQ(texts(inbox), Texts{"a"});
}

TEST_F(Messages, RecentIsTakenOnce) {
    const MailboxId inbox = id("INBOX");
    ASSERT_TRUE(append(inbox, "a") && append(inbox, "b"));
    const auto take = [&] {
        return wait<UidSet>([&](Done<UidSet> done) { mail_->take_recent(inbox, done); }).value();
    };
    EXPECT_EQ(mail_->status(inbox)->recent, 2u);
    EXPECT_EQ(take(), (UidSet{1, 2}));
    EXPECT_TRUE(take().empty());
    ASSERT_TRUE(append(inbox, "c"));
    EXPECT_EQ(take(), (UidSet{3}));
}

TEST_F(Messages, TakenRecentIsWrittenWithTheNextChange) {
    const MailboxId inbox = id("INBOX");
    ASSERT_TRUE(append(inbox, "a") && append(inbox, "b"));
    const auto take = [&] {
        return wait<UidSet>([&](Done<UidSet> done) { mail_->take_recent(inbox, done); }).value();
    };
    const ModSeq before = mail_->state(inbox)->highest_modseq;
    EXPECT_EQ(take(), (UidSet{1, 2}));
    EXPECT_TRUE(mail_->state(inbox)->recent.empty());
    EXPECT_EQ(mail_->status(inbox)->recent, 0u);
    EXPECT_EQ(mail_->state(inbox)->highest_modseq, before);
    open();
    EXPECT_EQ(take(), (UidSet{1, 2})) << "nothing was changed meanwhile";
    ASSERT_TRUE(append(inbox, "c"));
    EXPECT_EQ(mail_->state(inbox)->recent, (UidSet{3}));
    open();
    EXPECT_EQ(take(), (UidSet{3}));
}

TEST_F(Messages, ChangesTellWhatHappenedSince) {
    const MailboxId inbox = id("INBOX");
    for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(append(inbox, text));
    const ModSeq since = mail_->state(inbox)->highest_modseq;
    EXPECT_TRUE(mail_->changes_since(inbox, since)->flags.empty());
    ASSERT_TRUE(change(inbox, {2}, FlagMode::add, only(seen)));
    ASSERT_TRUE(expunge(inbox, {1}, true));
    ASSERT_TRUE(append(inbox, "d"));
    const auto changes = mail_->changes_since(inbox, since);
    ASSERT_TRUE(changes);
    EXPECT_TRUE(changes->complete);
    EXPECT_EQ(changes->vanished, (UidSet{1}));
    ASSERT_EQ(changes->flags.size(), 2u);
    EXPECT_EQ(changes->flags[0].first, 2u);
    EXPECT_EQ(changes->flags[1].first, 4u);
    EXPECT_EQ(changes->state.uids, (UidSet{2, 3, 4}));
}

TEST_F(Messages, ManyWritersOfOneMailboxAllGetTheirOwnUid) {
    const MailboxId inbox = id("INBOX");
    constexpr int writers = 8;
    constexpr int each = 50;
    std::vector<std::thread> threads;
    std::atomic<int> failed = 0;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            for (int i = 0; i < each; ++i) {
                const auto appended =
                    append(inbox, std::to_string(writer) + "-" + std::to_string(i));
                if (!appended) ++failed;
                if (appended && i % 3 == 0) {
                    if (!change(inbox, {appended->uid}, FlagMode::add, only(seen))) ++failed;
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failed, 0);
    const auto state = mail_->state(inbox);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->uids.size(), static_cast<std::uint64_t>(writers * each));
    EXPECT_EQ(state->uid_next, static_cast<Uid>(writers * each + 1));
    Texts all = texts(inbox);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_F(Messages, StoredBodyIsSharedByItsRecipients) {
    // As the spool does it: a body first, then its mailboxes.
    ASSERT_TRUE(append(id("Sent"), "shared"));
    const MessageRow stored = mail_->rows(id("Sent"), {1}, 1, false)->front();
    for (const char* name : {"INBOX", "Archive"}) {
        const OperationId operation = kv::random_id();
        for (int attempt = 0; attempt < 2; ++attempt) {
            const auto appended = wait<Appended>([&](Done<Appended> done) {
                mail_->append_stored(id(name), stored.blob, stored.size, NewMessage{}, operation,
                                     done);
            });
            ASSERT_TRUE(appended) << appended.error().text;
            EXPECT_EQ(appended->uid, 1u);
        }
    }
    ASSERT_TRUE(expunge(id("INBOX"), {1}, true));
    EXPECT_EQ(texts(id("Archive")), Texts{"shared"});
}

TEST_F(Messages, LargeChangesGoInSeveralBatches) {
    const MailboxId inbox = id("INBOX");
    constexpr Uid count = 1500;
    UidSet all;
    std::atomic<Uid> done_count = 0;
    for (Uid uid = 1; uid <= count; ++uid) {
        NewMessage message;
        message.bytes = std::make_shared<const std::string>("x");
        mail_->append(inbox, std::move(message), {},
                      [&](Result<Appended> r) { done_count += r ? 1 : 0; });
        all.add(uid);
    }
    while (mail_->state(inbox)->uids.size() < count) std::this_thread::yield();
    const auto flagged = change(inbox, all, FlagMode::add, only(deleted));
    ASSERT_TRUE(flagged);
    EXPECT_EQ(flagged->changed.size(), count);
    EXPECT_EQ(mail_->state(inbox)->deleted.size(), count);
    EXPECT_EQ(expunge(inbox, all, false)->size(), count);
    EXPECT_EQ(mail_->state(inbox)->uids.size(), 0u);
    mail_.reset();
    EXPECT_EQ(done_count, count);
}

}  // namespace
}  // namespace postern::mail

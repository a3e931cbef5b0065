// Each account's own \Seen in a shared mailbox (ADR 0020).
#include "store/care/check.h"
#include "store/mail/rows.h"
#include "store/mail/seen_log.h"
#include "tests/store/mail/fixture.h"

namespace postern::mail {
namespace {

constexpr AccountId bob{21}, cy{22};

class SeenTest : public MailStoreFixture {
protected:
    void SetUp() override {
        MailStoreFixture::SetUp();
        inbox_ = id("INBOX");
    }

    Result<void> own(MailboxId mailbox, bool on) {
        return wait<void>([&](Done<void> done) { mail_->set_own_seen(mailbox, on, done); });
    }
    void add(int count, Flags flags = {}) {
        for (int i = 0; i < count; ++i) ASSERT_TRUE(append(inbox_, "text", flags));
    }
    Result<FlagResult> store(Viewed box, const UidSet& uids, FlagMode mode, Flags flags,
                             std::optional<ModSeq> unchanged_since = {}) {
        return wait<FlagResult>([&](Done<FlagResult> done) {
            mail_->change_flags(box, uids, {mode, std::move(flags), unchanged_since},
                                std::move(done));
        });
    }
    void see(AccountId who, const UidSet& uids) {
        const auto done = store({inbox_, who}, uids, FlagMode::add, only(SystemFlag::seen));
        ASSERT_TRUE(done) << done.error().text;
        for (const auto& [uid, flags] : done->changed) EXPECT_TRUE(flags.has(SystemFlag::seen));
    }
    Result<Copied> transfer_by(AccountId who, const UidSet& uids, MailboxId to, bool move) {
        return wait<Copied>([&](Done<Copied> done) {
            move ? mail_->move({inbox_, who}, uids, to, std::move(done))
                 : mail_->copy({inbox_, who}, uids, to, std::move(done));
        });
    }

    // The same by every way to ask.
    std::string seen_by(AccountId who, MailboxId mailbox) {
        const Viewed box{mailbox, who};
        const auto seen = mail_->with_flag(box, SystemFlag::seen);
        const auto state = mail_->state(box);
        const auto status = mail_->status(box);
        EXPECT_TRUE(seen && state && status);
        if (!seen || !state || !status) return "?";
        EXPECT_EQ(state->uids - state->unseen, *seen);
        EXPECT_EQ(status->unseen, state->unseen.size());
        const auto rows = mail_->rows(box, state->uids, 1000, false);
        EXPECT_TRUE(rows);
        for (const auto& row : *rows) {
            EXPECT_EQ(row.flags.has(SystemFlag::seen), seen->contains(row.uid)) << row.uid;
            EXPECT_LE(row.modseq, state->highest_modseq);
        }
        return seen->to_string();
    }
    std::string seen_by(AccountId who) { return seen_by(who, inbox_); }
    // What a session of that account is told, and that modseqs grow.
    std::string told(AccountId who, ModSeq since) {
        const auto changes = mail_->changes_since({inbox_, who}, since);
        EXPECT_TRUE(changes);
        UidSet uids;
        for (std::size_t i = 0; i < changes->flags.size(); ++i) {
            uids.add(changes->flags[i].first);
            EXPECT_GT(changes->modseqs[i], since);
            EXPECT_EQ(changes->modseqs[i], modseq_of(who, changes->flags[i].first));
        }
        return uids.to_string();
    }
    ModSeq modseq_of(AccountId who, Uid uid) {
        return mail_->rows({inbox_, who}, {uid}, 1, false)->front().modseq;
    }
    ModSeq highest() { return mail_->status(inbox_)->highest_modseq; }
    std::size_t rows_of(MailboxId mailbox, char prefix) {
        return kv_->scan(mailbox_shard(mailbox), std::string(1, prefix), after_prefix(prefix), 1000)
            ->rows.size();
    }

    MailboxId inbox_;
};

TEST_F(SeenTest, IsCommonUntilItIsTurnedOn) {
    add(3);
    see(bob, {1});
    EXPECT_EQ(seen_by(account_), "1");
    EXPECT_EQ(seen_by(cy), "1");
    EXPECT_FALSE(mail_->state(inbox_)->own_seen);
}

TEST_F(SeenTest, EachHasItsOwnFromThenOn) {
    add(4);
    see(account_, {1});
    const ModSeq before = highest();
    ASSERT_TRUE(own(inbox_, true));
    ASSERT_TRUE(own(inbox_, true));
    EXPECT_TRUE(mail_->state(inbox_)->own_seen);
    EXPECT_EQ(told(bob, before), "");
    see(bob, {2});
    see(account_, {3});
    EXPECT_EQ(seen_by(bob), "1:2");
    EXPECT_EQ(seen_by(cy), "1");
    EXPECT_EQ(seen_by(account_), "1,3");
    EXPECT_EQ(seen_by({}), "1,3");
    ASSERT_TRUE(store({inbox_, bob}, {1, 2}, FlagMode::remove, only(SystemFlag::seen)));
    EXPECT_EQ(seen_by(bob), "");
    open();
    EXPECT_EQ(seen_by(bob), "");
    EXPECT_EQ(seen_by(cy), "1");
}

TEST_F(SeenTest, OtherFlagsAreCommon) {
    add(2);
    ASSERT_TRUE(own(inbox_, true));
    Flags both = only(SystemFlag::seen);
    both.set(SystemFlag::flagged);
    both.keywords = {"Work"};
    ASSERT_TRUE(store({inbox_, bob}, {1}, FlagMode::replace, both));
    const auto flags = mail_->rows({inbox_, cy}, {1}, 1, false)->front().flags;
    EXPECT_TRUE(flags.has(SystemFlag::flagged));
    EXPECT_FALSE(flags.has(SystemFlag::seen));
    EXPECT_EQ(flags.keywords.size(), 1u);
    ASSERT_TRUE(store({inbox_, cy}, {1}, FlagMode::replace, {}));
    EXPECT_EQ(seen_by(bob), "1");
    EXPECT_TRUE(mail_->with_flag(inbox_, SystemFlag::flagged)->empty());
}

TEST_F(SeenTest, AChangeIsToldToThatAccountAlone) {
    add(3);
    ASSERT_TRUE(own(inbox_, true));
    const ModSeq before = highest();
    see(bob, {2});
    EXPECT_GT(highest(), before);
    EXPECT_EQ(told(bob, before), "2");
    EXPECT_EQ(told(cy, before), "");
    EXPECT_EQ(told(account_, before), "");
    const ModSeq between = highest();
    see(account_, {3});
    EXPECT_EQ(told(account_, between), "3");
    EXPECT_EQ(told(bob, between), "");
    EXPECT_EQ(told(cy, between), "");
    see(bob, {2});  // changes nothing
    EXPECT_EQ(told(bob, between), "");
    ASSERT_TRUE(store({inbox_, bob}, {1}, FlagMode::add, only(SystemFlag::flagged)));
    EXPECT_EQ(told(cy, between), "1");
}

TEST_F(SeenTest, UnchangedSinceLooksAtTheAccountsOwnChange) {
    add(2);
    ASSERT_TRUE(own(inbox_, true));
    const ModSeq before = highest();
    see(bob, {1});
    const auto by = [&](AccountId who, ModSeq since) {
        return store({inbox_, who}, {1, 2}, FlagMode::remove, only(SystemFlag::seen), since)
            ->modified.to_string();
    };
    EXPECT_EQ(by(cy, before), "");
    EXPECT_EQ(by(bob, before), "1");
    EXPECT_EQ(seen_by(bob), "1");
    EXPECT_EQ(by(bob, highest()), "");
    EXPECT_EQ(seen_by(bob), "");
}

TEST_F(SeenTest, WhatIsAppendedIsSeenByWhoeverAppendsIt) {
    ASSERT_TRUE(own(inbox_, true));
    NewMessage message;
    message.bytes = std::make_shared<const std::string>("text");
    message.flags = only(SystemFlag::seen);
    ASSERT_TRUE(wait<Appended>([&](Done<Appended> done) {
        mail_->append({inbox_, bob}, message, kv::random_id(), std::move(done));
    }));
    add(1, only(SystemFlag::seen));
    EXPECT_EQ(seen_by(bob), "1");
    EXPECT_EQ(seen_by(cy), "");
    EXPECT_EQ(seen_by(account_), "2");
}

TEST_F(SeenTest, EverybodysComesAlongWithinAnAccount) {
    add(5);
    see(account_, {1});
    ASSERT_TRUE(own(inbox_, true));
    see(bob, {2, 3});
    see(cy, {3});
    ASSERT_TRUE(store({inbox_, cy}, {1}, FlagMode::remove, only(SystemFlag::seen)));
    const MailboxId team = create("Team")->id;
    ASSERT_TRUE(own(team, true));
    for (const bool move : {false, true}) {
        const auto done = transfer_by(bob, {1, 2, 3, 4}, team, move);
        ASSERT_TRUE(done) << done.error().text;
        EXPECT_EQ(done->to.size(), 4u);
    }
    EXPECT_EQ(seen_by(bob, team), "1:3,5:7");
    EXPECT_EQ(seen_by(cy, team), "3,7");
    EXPECT_EQ(seen_by(account_, team), "1,5");
    EXPECT_EQ(seen_by(AccountId{99}, team), "1,5");
}

TEST_F(SeenTest, BetweenKindsOfMailboxesItIsTheMoversThatCounts) {
    add(3);
    ASSERT_TRUE(own(inbox_, true));
    see(bob, {2});
    see(account_, {3});
    const MailboxId common = create("Common")->id;
    ASSERT_TRUE(transfer_by(bob, {1, 2, 3}, common, false));
    EXPECT_EQ(seen_by(cy, common), "2");
    // Back: of an account's own mailbox all see what they saw.
    ASSERT_TRUE(wait<Copied>([&](Done<Copied> done) {
        mail_->copy({common, cy}, {1, 2, 3}, inbox_, std::move(done));
    }));
    EXPECT_EQ(seen_by(bob), "2,5");
    EXPECT_EQ(seen_by(cy), "5");
    EXPECT_EQ(seen_by(account_), "3,5");
}

TEST_F(SeenTest, OfAnotherAccountsMailItIsTheMoversAlone) {
    ASSERT_TRUE(wait<void>([&](Done<void> done) { mail_->create_account(bob, done); }));
    const MailboxId bobs = mail_->find(bob, "INBOX")->id;
    ASSERT_TRUE(append(bobs, "text", only(SystemFlag::seen)));
    ASSERT_TRUE(own(inbox_, true));
    ASSERT_TRUE(wait<Copied>([&](Done<Copied> done) {
        mail_->copy({bobs, bob}, {1}, inbox_, std::move(done));
    }));
    EXPECT_EQ(seen_by(bob), "1");
    EXPECT_EQ(seen_by(account_), "");
    see(cy, {1});
    ASSERT_TRUE(own(bobs, true));
    ASSERT_TRUE(transfer_by(cy, {1}, bobs, false));
    EXPECT_EQ(seen_by(cy, bobs), "1:2");
    EXPECT_EQ(seen_by(bob, bobs), "1");
}

TEST_F(SeenTest, ExpungedMessagesAreNobodysAnyMore) {
    add(3);
    see(account_, {1});
    ASSERT_TRUE(own(inbox_, true));
    see(bob, {2, 3});
    ASSERT_TRUE(expunge(inbox_, {1, 2}, true));
    EXPECT_EQ(seen_by(bob), "3");
    open();
    EXPECT_EQ(seen_by(bob), "3");
    ASSERT_TRUE(expunge(inbox_, {3}, true));
    ASSERT_TRUE(append(inbox_, "text"));
    ASSERT_TRUE(store({inbox_, bob}, {4}, FlagMode::add, only(SystemFlag::seen)));
    ASSERT_TRUE(store({inbox_, bob}, {4}, FlagMode::remove, only(SystemFlag::seen)));
    EXPECT_EQ(rows_of(inbox_, 'v'), 1u);  // where everybody began: UID 1
    EXPECT_EQ(seen_by(bob), "");
}

TEST_F(SeenTest, TurnedOffAllSeeTheOwnersAgainAndAreTold) {
    add(4);
    ASSERT_TRUE(own(inbox_, true));
    see(bob, {1, 2});
    see(account_, {2, 3});
    const ModSeq before = highest();
    ASSERT_TRUE(own(inbox_, false));
    ASSERT_TRUE(own(inbox_, false));
    for (const AccountId who : {bob, cy, account_}) {
        EXPECT_EQ(seen_by(who), "2:3");
        EXPECT_EQ(told(who, before), "1:3");
    }
    EXPECT_EQ(rows_of(inbox_, 'v'), 0u);
    // Modseqs do not go back for whoever was told of them.
    const ModSeq off = highest();
    ASSERT_TRUE(own(inbox_, true));
    see(cy, {4});
    EXPECT_EQ(seen_by(bob), "2:3");
    EXPECT_EQ(seen_by(cy), "2:4");
    EXPECT_EQ(told(bob, off), "");
    EXPECT_EQ(told(cy, off), "4");
}

TEST_F(SeenTest, TheLogIsBoundedAndForgetsNoChange) {
    add(1);
    ASSERT_TRUE(own(inbox_, true));
    std::vector<ModSeq> seen_at;
    const int count = static_cast<int>(max_seen_log_rows) + 3;
    add(count - 1);
    const ModSeq start = highest();
    for (int uid = 1; uid <= count; ++uid) {
        see(bob, {static_cast<Uid>(uid)});
        seen_at.push_back(highest());
        EXPECT_EQ(rows_of(inbox_, 'w'), std::min<std::size_t>(uid, max_seen_log_rows));
    }
    EXPECT_EQ(told(bob, start), "1:" + std::to_string(count));
    for (int uid = 1; uid <= count; ++uid) {
        // The first of them share a row: what changed with the last of these.
        const auto changes = mail_->changes_since({inbox_, bob}, seen_at[uid - 1]);
        ASSERT_TRUE(changes);
        EXPECT_GE(changes->flags.size(), static_cast<std::size_t>(count - uid));
        EXPECT_LE(changes->flags.size(), static_cast<std::size_t>(uid < 4 ? count : count - uid));
        EXPECT_GE(modseq_of(bob, static_cast<Uid>(uid)), seen_at[uid - 1]);
    }
    EXPECT_EQ(told(cy, start), "");
}

TEST_F(SeenTest, SoManyPeopleAndNoMore) {
    add(1);
    ASSERT_TRUE(own(inbox_, true));
    const auto max = static_cast<std::uint64_t>(max_seen_accounts_per_mailbox);
    for (std::uint64_t i = 0; i < max; ++i) see({1000 + i}, {1});
    const Viewed late{inbox_, {5000}};
    EXPECT_EQ(store(late, {1}, FlagMode::add, only(SystemFlag::seen)).error().code, Errc::limit);
    EXPECT_TRUE(store(late, {1}, FlagMode::add, only(SystemFlag::flagged)));
    // What changes nothing of \Seen asks for no place.
    EXPECT_TRUE(store(late, {1}, FlagMode::replace, only(SystemFlag::flagged)));
    EXPECT_TRUE(store(late, {1}, FlagMode::remove, only(SystemFlag::seen)));
    see({1000}, {1});
    see(account_, {1});
    NewMessage message;
    message.bytes = std::make_shared<const std::string>("text");
    message.flags = only(SystemFlag::seen);
    ASSERT_TRUE(wait<Appended>([&](Done<Appended> done) {
        mail_->append(late, message, kv::random_id(), std::move(done));
    }));
    EXPECT_EQ(seen_by({5000}), "");
    ASSERT_TRUE(
        wait<void>([&](Done<void> done) { mail_->forget_seen(inbox_, {1000}, std::move(done)); }));
    see({5000}, {1});
    EXPECT_EQ(seen_by({1000}), "");
}

TEST_F(SeenTest, APlaceThatIsNotNeededIsTheNextOnes) {
    add(2);
    ASSERT_TRUE(own(inbox_, true));
    const auto max = static_cast<std::uint64_t>(max_seen_accounts_per_mailbox);
    for (std::uint64_t i = 0; i + 1 < max; ++i) see({1000 + i}, {1});
    see({2000}, {2});
    const auto try_it = [&](AccountId who) {
        return store({inbox_, who}, {1}, FlagMode::add, only(SystemFlag::seen)).has_value();
    };
    EXPECT_FALSE(try_it({3000}));
    // As everybody began.
    ASSERT_TRUE(store({inbox_, {1000}}, {1}, FlagMode::remove, only(SystemFlag::seen)));
    EXPECT_TRUE(try_it({3000}));
    EXPECT_FALSE(try_it({3001}));
    // All of its messages are gone.
    ASSERT_TRUE(expunge(inbox_, {2}, true));
    EXPECT_TRUE(try_it({3001}));
    EXPECT_FALSE(try_it({3002}));
    EXPECT_EQ(rows_of(inbox_, 'v'), max);
    for (int look = 0; look < 2; ++look) {
        for (const std::uint64_t who : {1001, 3000, 3001}) EXPECT_EQ(seen_by({who}), "1") << who;
        for (const std::uint64_t who : {1000, 2000, 3002}) EXPECT_EQ(seen_by({who}), "") << who;
        open();
    }
}

TEST_F(SeenTest, WhoeverMayNotSeeItAnyMoreBeginsAnew) {
    add(3);
    ASSERT_TRUE(own(inbox_, true));
    see(bob, {1, 2});
    see(cy, {3});
    const ModSeq before = highest();
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(
            wait<void>([&](Done<void> done) { mail_->end_seen(inbox_, bob, std::move(done)); }));
    }
    EXPECT_EQ(highest(), before + 1);
    EXPECT_EQ(seen_by(bob), "");
    EXPECT_EQ(seen_by(cy), "3");
    EXPECT_EQ(told(bob, before), "1:2");
    EXPECT_EQ(told(cy, before), "");
    EXPECT_EQ(rows_of(inbox_, 'v'), 1u);
    open();
    EXPECT_EQ(seen_by(bob), "");
    EXPECT_EQ(care::check_store(*kv_, {})->findings, 0u);
}

TEST_F(SeenTest, ForgottenAccountsLeaveNothing) {
    add(3);
    see(account_, {1});
    ASSERT_TRUE(own(inbox_, true));
    see(bob, {2});
    see(cy, {3});
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(
            wait<void>([&](Done<void> done) { mail_->forget_seen(inbox_, bob, std::move(done)); }));
    }
    EXPECT_EQ(rows_of(inbox_, 'v'), 2u);
    EXPECT_EQ(rows_of(inbox_, 'w'), 1u);
    EXPECT_EQ(seen_by(bob), "1");
    EXPECT_EQ(seen_by(cy), "1,3");
}

TEST_F(SeenTest, ARemovedMailboxTakesItAlong) {
    const MailboxId team = create("Team")->id;
    ASSERT_TRUE(append(team, "text"));
    ASSERT_TRUE(own(team, true));
    ASSERT_TRUE(store({team, bob}, {1}, FlagMode::add, only(SystemFlag::seen)));
    ASSERT_TRUE(remove("Team"));
    for (const char prefix : {'v', 'w', 'y'}) EXPECT_EQ(rows_of(team, prefix), 0u);
}

TEST_F(SeenTest, InboxTakesItAlongToItsNewName) {
    add(2);
    ASSERT_TRUE(own(inbox_, true));
    see(bob, {2});
    ASSERT_TRUE(rename("INBOX", "Old"));
    EXPECT_EQ(seen_by(bob, id("Old")), "2");
    EXPECT_EQ(seen_by(cy, id("Old")), "");
}

// Both ways write all of the mailbox's bitmaps at once.
TEST_F(SeenTest, AMailboxMayBeTooLarge) {
    const auto reach = [&](std::size_t ranges) {
        for (std::size_t i = 0; i < ranges; ++i) {
            const auto shard = mailbox_shard(inbox_);
            auto head = *decode_head(**kv_->get(shard, head_key));
            head.uid_next = static_cast<Uid>(i << 16) + 1;
            kv::Batch batch;
            batch.shard = shard;
            batch.operation = kv::random_id();
            batch.operations.emplace_back(kv::Put{std::string(head_key), encode(head)});
            ASSERT_TRUE(kv_->commit_and_wait(std::move(batch)));
            ASSERT_TRUE(append(inbox_, "text", only(SystemFlag::seen)));
        }
    };
    reach(max_seen_ranges);
    ASSERT_TRUE(own(inbox_, true));
    EXPECT_EQ(mail_->status({inbox_, bob})->unseen, 0u);
    ASSERT_TRUE(
        store({inbox_, bob}, mail_->state(inbox_)->uids, FlagMode::remove, only(SystemFlag::seen)));
    EXPECT_EQ(mail_->status({inbox_, bob})->unseen, max_seen_ranges);
    ASSERT_TRUE(own(inbox_, false));
    reach(max_seen_ranges + 1);
    EXPECT_EQ(own(inbox_, true).error().code, Errc::limit);
    EXPECT_FALSE(mail_->state(inbox_)->own_seen);
}

}  // namespace
}  // namespace postern::mail

#include "store/kv/row_codec.h"
#include "store/mail/mailbox_names.h"
#include "tests/store/mail/fixture.h"

namespace postern::mail {
namespace {

using Texts = std::vector<std::string>;

class Names : public MailStoreFixture {
protected:
    Texts names() {
        Texts out;
        for (const MailboxInfo& info : mail_->list(account_).value()) out.push_back(info.name);
        return out;
    }

    // Puts a name into the store as an earlier version would have.
    void store_as(const std::string& from, const std::string& to) {
        kv::Batch batch;
        batch.shard = account_shard(account_);
        batch.operation = kv::random_id();
        for (const char kind : {'n', 's'}) {
            const auto row = kv_->get(batch.shard, kind + from);
            ASSERT_TRUE(row);
            if (!*row) continue;
            batch.operations.emplace_back(kv::Erase{kind + from});
            batch.operations.emplace_back(kv::Put{kind + to, **row});
        }
        ASSERT_TRUE(kv_->commit_and_wait(std::move(batch)));
    }
    bool is_stored(const std::string& name) {
        return kv_->get(account_shard(account_), "n" + name).value().has_value();
    }
};

const std::string composed = "Entw\u00fcrfe", apart = "Entwu\u0308rfe";

TEST_F(Names, FreshAccountHasTheUsualMailboxesSubscribed) {
    EXPECT_EQ(names(), (Texts{"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"}));
    for (const MailboxInfo& info : mail_->list(account_).value()) EXPECT_TRUE(info.subscribed);
    EXPECT_EQ(mail_->find_special(account_, SpecialUse::junk)->name, "Junk");
    EXPECT_EQ(mail_->find(account_, "inbox")->name, "INBOX");
    const MailboxId before = id("INBOX");
    open();
    EXPECT_EQ(id("INBOX"), before) << "creating the account again changes nothing";
}

TEST_F(Names, CreateMakesParentsAndRefusesDoubles) {
    ASSERT_TRUE(create("Work/2024/May"));
    EXPECT_TRUE(mail_->find(account_, "Work/2024"));
    EXPECT_EQ(create("Work").error().code, Errc::exists);
    for (const char* bad : {"", "/", "a//b", "a/", "/a", "a\nb", "a\xff"}) {
        EXPECT_EQ(create(bad).error().code, Errc::invalid) << bad;
    }
}

TEST_F(Names, NewOnesHoldNoControlsButOldOnesCanBeRenamed) {
    const auto made = create("Old");
    ASSERT_TRUE(made && create("Old/b"));
    const std::string damaged = "Old\u0085";
    store_as("Old", damaged);
    store_as("Old/b", damaged + "/b");
    for (const char* bad : {"a\x7f", "\u0080", "a\u009f", "a\u2028", "\u2029", "a\xc0\xaf"}) {
        EXPECT_EQ(create(bad).error().code, Errc::invalid) << bad;
        EXPECT_EQ(rename("Junk", bad).error().code, Errc::invalid) << bad;
    }
    EXPECT_EQ(mail_->find(account_, damaged)->id, made->id);
    ASSERT_TRUE(rename(damaged, "New"));
    EXPECT_EQ(mail_->find(account_, "New")->id, made->id);
    EXPECT_TRUE(mail_->find(account_, "New/b"));
}

TEST_F(Names, AreTheSameHoweverTheyWereTyped) {
    const auto made = create(apart + "/2026");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->name, composed + "/2026");
    EXPECT_EQ(mail_->find(account_, composed + "/2026")->id, made->id);
    EXPECT_EQ(create(composed).error().code, Errc::exists);
    ASSERT_TRUE(rename(composed + "/2026", "\u1112\u1161\u11ab"));
    EXPECT_EQ(mail_->find(account_, "\ud55c")->id, made->id);
    ASSERT_TRUE(rename("\ud55c", apart + "/2027"));
    const auto subscribed = wait<void>(
        [&](Done<void> done) { mail_->subscribe(account_, apart, true, std::move(done)); });
    ASSERT_TRUE(subscribed);
    EXPECT_TRUE(mail_->find(account_, composed)->subscribed);
    ASSERT_TRUE(remove(apart + "/2027"));
    // What comes out longer than it came in is measured as it is kept.
    const std::string longer = "\ufb2c";  // three bytes more
    const std::size_t room = max_mailbox_name_bytes - 6;
    EXPECT_EQ(create(std::string(room + 1, 'n') + longer).error().code, Errc::invalid);
    EXPECT_TRUE(create(std::string(room, 'n') + longer));
}

TEST_F(Names, OfAnEarlierVersionAreFoundAndWrittenAnewAtTheNextChange) {
    const auto made = create("Old");
    const auto below = create("Old/b");
    ASSERT_TRUE(wait<void>(
        [&](Done<void> done) { mail_->subscribe(account_, "Old", true, std::move(done)); }));
    store_as("Old", apart);
    store_as("Old/b", apart + "/b");
    EXPECT_EQ(mail_->find(account_, apart)->id, made->id);
    EXPECT_EQ(mail_->find(account_, composed + "/b")->id, below->id);
    EXPECT_TRUE(mail_->find(account_, composed)->subscribed);
    EXPECT_TRUE(is_stored(apart)) << "reading changes nothing";
    ASSERT_TRUE(create("New"));
    EXPECT_TRUE(is_stored(composed) && is_stored(composed + "/b"));
    EXPECT_FALSE(is_stored(apart) || is_stored(apart + "/b"));
    EXPECT_EQ(mail_->find(account_, composed)->id, made->id);
    EXPECT_TRUE(mail_->find(account_, composed)->subscribed);
}

TEST_F(Names, OfAnEarlierVersionThatAreAlikeNowAreAllKept) {
    const auto first = create(composed);
    const auto second = create("Other");
    const auto below = create("Other/b");
    store_as("Other", apart);
    store_as("Other/b", apart + "/b");
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(mail_->find(account_, composed)->id, first->id);
        EXPECT_EQ(mail_->find(account_, composed + " (2)")->id, second->id);
        EXPECT_EQ(mail_->find(account_, composed + " (2)/b")->id, below->id);
        EXPECT_EQ(mail_->find(account_, apart)->id, second->id) << "as it was written down before";
        EXPECT_EQ(mail_->find(account_, apart + "/b")->id, below->id);
        ASSERT_TRUE(create("Round " + std::to_string(round)));
    }
    EXPECT_FALSE(is_stored(apart));
    ASSERT_TRUE(rename(composed + " (2)", "Mine"));
    EXPECT_EQ(mail_->find(account_, apart)->id, second->id);
    ASSERT_TRUE(remove("Mine/b"));
    ASSERT_TRUE(remove("Mine"));
    EXPECT_EQ(mail_->find(account_, apart)->id, first->id);
    EXPECT_FALSE(mail_->find(account_, apart + "/b"));
    EXPECT_EQ(kv_->scan(account_shard(account_), "o", "p", 1)->rows.size(), 0u);
}

TEST_F(Names, OfAnEarlierVersionThatAreAlikeNowKeepWhatIsTheirs) {
    const auto first_below = create(composed + "/b0");
    ASSERT_TRUE(first_below);
    std::vector<MailboxId> second_below;
    constexpr std::size_t count = 120;  // more than are written at once
    const auto below = [](std::size_t i) { return "/b" + std::to_string(i); };
    for (std::size_t i = 0; i < count; ++i) {
        const auto made = create("Other" + below(i));
        ASSERT_TRUE(made);
        second_below.push_back(made->id);
    }
    const MailboxId first = id(composed), second = id("Other");
    const std::string other = "Other";
    for (const std::string& name : {composed + "/b0", other, other + "/b1"}) {
        ASSERT_TRUE(wait<void>(
            [&](Done<void> done) { mail_->subscribe(account_, name, true, std::move(done)); }));
    }
    store_as(other, apart);
    for (std::size_t i = 0; i < count; ++i) store_as(other + below(i), apart + below(i));
    const std::string numbered = composed + " (2)";
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(id(composed), first);
        EXPECT_EQ(id(composed + "/b0"), first_below->id);
        EXPECT_EQ(id(numbered), second);
        for (std::size_t i = 0; i < count; ++i) {
            EXPECT_EQ(id(numbered + below(i)), second_below[i]) << i;
        }
        Texts subscribed;
        for (const std::string& name : mail_->subscriptions(account_).value()) {
            if (name.starts_with("Entw")) subscribed.push_back(name);
        }
        EXPECT_EQ(subscribed, (Texts{numbered, numbered + "/b1", composed + "/b0"}));
        ASSERT_TRUE(create("Round " + std::to_string(round)));
        EXPECT_FALSE(is_stored(apart) || is_stored(apart + "/b0"));
    }
}

TEST_F(Names, OfAnEarlierVersionMayBeManyAtOnce) {
    constexpr int count = 250;
    for (int i = 0; i < count; ++i) {
        const std::string number = std::to_string(i);
        ASSERT_TRUE(create("n" + number));
        store_as("n" + number, apart + number);
    }
    ASSERT_TRUE(create("New"));
    for (int i = 0; i < count; ++i) {
        EXPECT_TRUE(is_stored(composed + std::to_string(i)));
        EXPECT_FALSE(is_stored(apart + std::to_string(i)));
    }
}

TEST_F(Names, NameLimits) {
    EXPECT_TRUE(create(std::string(max_mailbox_name_bytes - 1, 'n')));
    EXPECT_TRUE(create(std::string(max_mailbox_name_bytes, 'n')));
    EXPECT_FALSE(create(std::string(max_mailbox_name_bytes + 1, 'n')));
    const auto nested = [](std::size_t levels) {
        std::string name = "d";
        for (std::size_t i = 1; i < levels; ++i) name += "/d";
        return name;
    };
    EXPECT_TRUE(create(nested(max_mailbox_depth - 1)));
    EXPECT_TRUE(create(nested(max_mailbox_depth)));
    EXPECT_FALSE(create(nested(max_mailbox_depth + 1)));
}

TEST_F(Names, RemovedAndMadeAgainHasAnotherUidValidity) {
    const auto first = create("Temp");
    ASSERT_TRUE(first);
    ASSERT_TRUE(append(first->id, "x"));
    const std::uint32_t validity = mail_->state(first->id)->uid_validity;
    ASSERT_TRUE(remove("Temp"));
    EXPECT_EQ(mail_->state(first->id).error().code, Errc::not_found);
    EXPECT_EQ(append(first->id, "y").error().code, Errc::not_found);
    const auto second = create("Temp");
    ASSERT_TRUE(second);
    EXPECT_GT(mail_->state(second->id)->uid_validity, validity);
    EXPECT_TRUE(texts(second->id).empty());
}

TEST_F(Names, ParentOfChildrenStaysAsANameOnly) {
    ASSERT_TRUE(create("A/B"));
    ASSERT_TRUE(remove("A"));
    EXPECT_FALSE(mail_->find(account_, "A")->selectable);
    EXPECT_TRUE(mail_->find(account_, "A/B")->selectable);
    EXPECT_EQ(remove("A").error().code, Errc::invalid);
    ASSERT_TRUE(create("A"));
    EXPECT_TRUE(mail_->find(account_, "A")->selectable);
    EXPECT_EQ(remove("INBOX").error().code, Errc::permission);
    EXPECT_EQ(remove("Nowhere").error().code, Errc::not_found);
}

TEST_F(Names, RenameTakesChildrenAndMessagesAlong) {
    ASSERT_TRUE(create("A/B/C"));
    ASSERT_TRUE(append(id("A/B"), "kept"));
    const MailboxId before = id("A/B");
    ASSERT_TRUE(rename("A", "X/Y"));
    EXPECT_EQ(id("X/Y/B"), before);
    EXPECT_EQ(texts(before), Texts{"kept"});
    EXPECT_TRUE(mail_->find(account_, "X/Y/B/C"));
    EXPECT_TRUE(mail_->find(account_, "X"));
    EXPECT_FALSE(mail_->find(account_, "A/B"));
    EXPECT_EQ(rename("X", "X/Z").error().code, Errc::invalid);
    EXPECT_EQ(rename("X", "Junk").error().code, Errc::exists);
    EXPECT_EQ(rename("A", "Q").error().code, Errc::not_found);
}

TEST_F(Names, RenamingInboxMovesItsMessages) {
    ASSERT_TRUE(append(id("INBOX"), "old"));
    const MailboxId inbox = id("INBOX");
    ASSERT_TRUE(rename("INBOX", "Before"));
    EXPECT_EQ(id("INBOX"), inbox);
    EXPECT_TRUE(texts(inbox).empty());
    EXPECT_EQ(texts(id("Before")), Texts{"old"});
}

TEST_F(Names, SubscriptionsOutliveTheirMailbox) {
    ASSERT_TRUE(create("List"));
    const auto subscribe = [&](bool on) {
        return wait<void>([&](Done<void> done) { mail_->subscribe(account_, "List", on, done); });
    };
    ASSERT_TRUE(subscribe(true));
    ASSERT_TRUE(remove("List"));
    const auto names = mail_->subscriptions(account_).value();
    EXPECT_NE(std::find(names.begin(), names.end(), "List"), names.end());
    ASSERT_TRUE(subscribe(false));
    EXPECT_EQ(mail_->subscriptions(account_)->size(), 6u);
}

TEST_F(Names, MailboxCountLimit) {
    const std::size_t have = names().size();
    for (std::size_t i = have; i < max_mailboxes_per_account; ++i) {
        ASSERT_TRUE(create("m" + std::to_string(i))) << i;
    }
    EXPECT_EQ(create("one-more").error().code, Errc::limit);
}

TEST_F(Names, RemovedAccountLeavesNothing) {
    ASSERT_TRUE(append(id("INBOX"), "gone"));
    const MailboxId inbox = id("INBOX");
    const BlobId blob = mail_->rows(inbox, {1}, 1, false)->front().blob;
    const auto removed =
        wait<void>([&](Done<void> done) { mail_->remove_account(account_, done); });
    ASSERT_TRUE(removed);
    EXPECT_TRUE(names().empty());
    EXPECT_FALSE(mail_->read(blob, 0, 1));
    EXPECT_TRUE(kv_->scan({kv::ShardKind::intents, 0}, "", "", 10)->rows.empty());
}

}  // namespace
}  // namespace postern::mail

// MailStore::append_together. tests/store/mail/faults_test.cpp breaks it off at every call.
#include "tests/store/mail/fixture.h"

#include <set>
#include <thread>

namespace postern::mail {
namespace {

using Texts = std::vector<std::string>;

class AppendTogether : public MailStoreFixture {
protected:
    static NewMessage message(const std::string& text) {
        NewMessage out;
        out.bytes = std::make_shared<const std::string>(text);
        out.summary = "summary of " + text;
        return out;
    }
    static std::vector<NewMessage> messages(std::size_t count) {
        std::vector<NewMessage> out;
        for (std::size_t i = 0; i < count; ++i) out.push_back(message("m" + std::to_string(i)));
        return out;
    }
    Result<std::vector<Appended>> together(MailboxId mailbox, std::vector<NewMessage> all,
                                           Replaced replaced = {}) {
        return wait<std::vector<Appended>>([&](Done<std::vector<Appended>> done) {
            mail_->append_together(mailbox, std::move(all), replaced, std::move(done));
        });
    }
    std::uint64_t count(MailboxId mailbox) { return mail_->status(mailbox).value().messages; }
};

TEST_F(AppendTogether, KeepsTheOrderAndTellsEachUid) {
    const MailboxId inbox = id("INBOX");
    ASSERT_TRUE(append(inbox, "before"));
    auto all = messages(3);
    all[1].flags = only(SystemFlag::seen);
    all[2].flags = keyword("urgent");
    const auto appended = together(inbox, std::move(all));
    ASSERT_TRUE(appended) << appended.error().text;
    ASSERT_EQ(appended->size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ((*appended)[i].uid, i + 2);
        EXPECT_EQ((*appended)[i].uid_validity, mail_->state(inbox)->uid_validity);
        EXPECT_EQ((*appended)[i].modseq, (*appended)[0].modseq) << "seen one after the other";
    }
    EXPECT_EQ(texts(inbox), (Texts{"before", "m0", "m1", "m2"}));
    const auto rows = mail_->rows(inbox, {2, 3, 4}, 10, true);
    ASSERT_TRUE(rows);
    EXPECT_EQ((*rows)[0].flags, Flags());
    EXPECT_TRUE((*rows)[1].flags.has(SystemFlag::seen));
    EXPECT_EQ((*rows)[2].flags, keyword("urgent"));
    EXPECT_EQ((*rows)[2].summary, "summary of m2");
    open();
    EXPECT_EQ(texts(inbox), (Texts{"before", "m0", "m1", "m2"}));
}

TEST_F(AppendTogether, NobodySeesSomeOfThem) {
    const MailboxId inbox = id("INBOX");
    constexpr std::size_t rounds = 40, each = 5;
    std::atomic<bool> over = false;
    std::thread reader([&] {
        while (!over) EXPECT_EQ(count(inbox) % each, 0u);
    });
    for (std::size_t i = 0; i < rounds; ++i) EXPECT_TRUE(together(inbox, messages(each)));
    over = true;
    reader.join();
    EXPECT_EQ(count(inbox), rounds * each);
}

TEST_F(AppendTogether, OneThatIsRefusedLeavesNone) {
    const MailboxId inbox = id("INBOX");
    auto empty = messages(3);
    empty[2].bytes = std::make_shared<const std::string>();
    EXPECT_EQ(together(inbox, std::move(empty)).error().code, Errc::invalid);
    auto bad_keyword = messages(3);
    bad_keyword[0].flags = keyword("fine");
    bad_keyword[2].flags = keyword("not a keyword");
    EXPECT_EQ(together(inbox, std::move(bad_keyword)).error().code, Errc::invalid);
    EXPECT_EQ(together(inbox, {}).error().code, Errc::invalid);
    EXPECT_EQ(together(MailboxId{12345}, messages(2)).error().code, Errc::not_found);
    EXPECT_EQ(count(inbox), 0u);
    EXPECT_TRUE(mail_->state(inbox)->keywords.empty());
}

TEST_F(AppendTogether, WhatIsReplacedGoesInTheSameStep) {
    const MailboxId drafts = id("Drafts"), sent = id("Sent");
    ASSERT_TRUE(append(drafts, "old", keyword("mine")));
    ASSERT_TRUE(append(drafts, "other"));
    const auto modseq = mail_->state(drafts)->highest_modseq;
    ASSERT_TRUE(together(drafts, messages(1), {drafts, 1}));
    EXPECT_EQ(texts(drafts), (Texts{"other", "m0"}));
    EXPECT_EQ(mail_->state(drafts)->highest_modseq, modseq + 1);
    EXPECT_EQ(mail_->changes_since(drafts, modseq)->vanished, (UidSet{1}));
    // Of another mailbox it goes as well, and what is gone already stands in nobody's way.
    ASSERT_TRUE(together(sent, messages(1), {drafts, 2}));
    ASSERT_TRUE(together(drafts, messages(1), {drafts, 1}));
    EXPECT_EQ(texts(drafts), (Texts{"m0", "m0"}));
    EXPECT_EQ(texts(sent), (Texts{"m0"}));
    EXPECT_EQ(together(drafts, messages(2), {drafts, 3}).error().code, Errc::limit);
    open();
    EXPECT_EQ(texts(drafts), (Texts{"m0", "m0"}));
    EXPECT_EQ(texts(sent), (Texts{"m0"}));
}

TEST_F(AppendTogether, WhatDoesNotFitIntoItsBatchIsReplacedAllTheSame) {
    const MailboxId drafts = id("Drafts");
    ASSERT_TRUE(append(drafts, "old"));
    auto one = messages(1);
    for (std::size_t i = 0; i <= max_together_keywords; ++i) {
        one[0].flags.keywords.push_back("k" + std::to_string(i));
    }
    ASSERT_TRUE(together(drafts, std::move(one), {drafts, 1}));
    EXPECT_EQ(texts(drafts), (Texts{"m0"}));
}

TEST_F(AppendTogether, MoreThanABatchTakesAreAllOrNone) {
    const MailboxId inbox = id("INBOX");
    const auto first = together(inbox, messages(2 * max_appended_together + 1));
    ASSERT_TRUE(first) << first.error().text;
    ASSERT_EQ(first->size(), 2 * max_appended_together + 1);
    for (std::size_t i = 0; i < first->size(); ++i) EXPECT_EQ((*first)[i].uid, i + 1);
    EXPECT_EQ(texts(inbox)[max_appended_together + 1], "m101");
    // The last of them is refused: its keyword is none.
    auto bad = messages(max_appended_together + 2);
    bad.back().flags = keyword("not a keyword");
    EXPECT_EQ(together(inbox, std::move(bad)).error().code, Errc::invalid);
    EXPECT_EQ(count(inbox), first->size());
    open();
    EXPECT_EQ(count(inbox), first->size()) << "nothing was left to be undone";
}

TEST_F(AppendTogether, CountLimit) {
    const MailboxId inbox = id("INBOX");
    std::size_t there = 0;
    for (const std::size_t limit : {max_appended_together, max_appended_at_all}) {
        for (const std::size_t count : {limit - 1, limit}) {
            EXPECT_TRUE(together(inbox, messages(count)));
            there += count;
        }
    }
    EXPECT_EQ(together(inbox, messages(max_appended_at_all + 1)).error().code, Errc::limit);
    EXPECT_EQ(count(inbox), there);
}

// Of those that do not fit, each may be seen by itself.
std::size_t steps(const std::vector<Appended>& all) {
    std::set<ModSeq> modseqs;
    for (const Appended& each : all) modseqs.insert(each.modseq);
    return modseqs.size();
}

TEST_F(AppendTogether, LimitOfWhatIsKeptBesideThem) {
    const MailboxId inbox = id("INBOX");
    const auto with_summaries = [](std::size_t bytes) {
        std::vector<NewMessage> all;
        for (std::size_t left = bytes; left > 0;) {
            all.push_back(message("m"));
            all.back().summary = std::string(std::min(left, max_summary_bytes), 's');
            left -= all.back().summary.size();
        }
        return all;
    };
    EXPECT_EQ(steps(*together(inbox, with_summaries(max_together_bytes - 1))), 1u);
    EXPECT_EQ(steps(*together(inbox, with_summaries(max_together_bytes))), 1u);
    EXPECT_EQ(steps(*together(inbox, with_summaries(max_together_bytes + 1))), 2u);
}

TEST_F(AppendTogether, KeywordLimit) {
    const MailboxId inbox = id("INBOX");
    const auto with_keywords = [](std::size_t keywords) {
        auto all = messages(keywords);
        for (std::size_t i = 0; i < keywords; ++i) all[i].flags = keyword("k" + std::to_string(i));
        return all;
    };
    EXPECT_EQ(steps(*together(inbox, with_keywords(max_together_keywords - 1))), 1u);
    EXPECT_EQ(steps(*together(inbox, with_keywords(max_together_keywords))), 1u);
    EXPECT_EQ(steps(*together(inbox, with_keywords(max_together_keywords + 1))), 2u);
}

TEST_F(AppendTogether, TheLargestFitsAmidOtherWork) {
    const MailboxId inbox = id("INBOX");
    std::vector<std::thread> others;
    for (int i = 0; i < 4; ++i) {
        others.emplace_back([&] {
            for (int k = 0; k < 20; ++k) EXPECT_TRUE(append(inbox, "other"));
        });
    }
    auto all = messages(max_appended_together);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].summary = std::string(max_together_bytes / all.size(), 's');
        all[i].flags = keyword("k" + std::to_string(i % max_together_keywords));
        all[i].flags.set(SystemFlag::flagged);
    }
    const auto appended = together(inbox, std::move(all));
    for (auto& other : others) other.join();
    ASSERT_TRUE(appended) << appended.error().text;
    EXPECT_EQ(appended->back().uid, appended->front().uid + max_appended_together - 1);
    EXPECT_EQ(count(inbox), 80 + max_appended_together);
}

}  // namespace
}  // namespace postern::mail

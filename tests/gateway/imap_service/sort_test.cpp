#include "gateway/imap_service/sort.h"

#include "gateway/imap_service/thread.h"
#include "protocols/imap/thread_format.h"
#include "tests/gateway/imap_service/mailbox_fixture.h"

#include <gmock/gmock.h>

namespace postern::imap_service {
namespace {

using By = imap::SortKey::By;
using testing::ElementsAre;

class SortTest : public MailboxTest {
protected:
    std::vector<Uid> sorted(const std::vector<imap::SortKey>& keys) {
        auto result =
            sort_messages(*mail_, box("INBOX"), mail_->state(box("INBOX"))->uids, keys, stopped_);
        EXPECT_TRUE(result.has_value());
        return *result;
    }
    std::atomic<bool> stopped_{false};
};

TEST_F(SortTest, OrdersByEachCriterion) {
    add("From: zoe@x\nTo: b@x\nCc: q@x\nSubject: Re: beta\nDate: Mon, 1 Jan 2024 10:00:00 "
        "+0000\n\nlong body\n",
        {}, 19'003);
    add("From: \"Ann\" <y@x>\nTo: a@x\nSubject: ALPHA\nDate: Mon, 1 Jan 2024 11:30:00 +0200\n\nb\n",
        {}, 19'002);
    add("From: Bob <A@x>\nSubject: =?utf-8?q?=C3=84rger?=\n\n\n", {}, 19'001, false);
    EXPECT_THAT(sorted({{By::arrival, false}}), ElementsAre(3, 2, 1));
    EXPECT_THAT(sorted({{By::arrival, true}}), ElementsAre(1, 2, 3));
    EXPECT_THAT(sorted({{By::date, false}}), ElementsAre(3, 2, 1));
    EXPECT_THAT(sorted({{By::from, false}}), ElementsAre(3, 2, 1));
    EXPECT_THAT(sorted({{By::subject, false}}), ElementsAre(2, 3, 1));
    EXPECT_THAT(sorted({{By::size, false}}), ElementsAre(3, 2, 1));
    EXPECT_THAT(sorted({{By::to, false}}), ElementsAre(3, 2, 1));
    EXPECT_THAT(sorted({{By::cc, true}}), ElementsAre(1, 2, 3));
    EXPECT_THAT(sorted({{By::display_from, false}}), ElementsAre(2, 3, 1));
    EXPECT_THAT(sorted({{By::cc, false}, {By::arrival, false}}), ElementsAre(3, 2, 1));
    stopped_ = true;
    EXPECT_FALSE(sort_messages(*mail_, box("INBOX"), {1}, {{By::date, false}}, stopped_));
}

TEST_F(SortTest, SignsComeAfterLetters) {
    add("Subject: _\n\n");
    add("Subject: [news]\n\n");
    add("Subject: zebra\n\n");
    add("Subject: 7\n\n");
    EXPECT_THAT(sorted({{By::subject, false}}), ElementsAre(4, 3, 2, 1));
}

class ThreadTest : public testing::Test {
protected:
    // A message of that subject; its id is its UID, its references are UIDs.
    void add(const std::string& subject, const std::vector<int>& references, bool reply = false,
             std::int64_t sent = 0) {
        SortFacts each;
        each.uid = static_cast<Uid>(messages_.size() + 1);
        each.sent = sent != 0 ? sent : each.uid;
        each.subject = subject;
        each.is_reply = reply;
        each.message_id = "<" + std::to_string(each.uid) + ">";
        for (const int id : references) {
            if (!each.references.empty()) each.references += ' ';
            each.references += "<" + std::to_string(id) + ">";
        }
        messages_.push_back(std::move(each));
    }
    std::string threads(imap::ThreadAlgorithm algorithm) const {
        ThreadFacts facts;
        UidSet among;
        for (const SortFacts& each : messages_) {
            facts.add(each);
            among.add(each.uid);
        }
        return shown(thread_messages(facts, among, algorithm));
    }
    static std::string shown(const imap::Threads& threads) {
        return imap::format_threads(threads, [](Uid uid) { return uid; });
    }
    std::string by_references() const { return threads(imap::ThreadAlgorithm::references); }
    std::string by_subject() const { return threads(imap::ThreadAlgorithm::ordered_subject); }

    std::vector<SortFacts> messages_;
};

TEST_F(ThreadTest, FollowsReferences) {
    add("a", {});
    add("a", {1});
    add("a", {1, 2});
    add("a", {1});
    add("b", {});
    EXPECT_EQ(by_references(), " (1 (2 3)(4))(5)");
}

TEST_F(ThreadTest, BringsTogetherAnswersToWhatIsNotHere) {
    add("a", {77}, true);
    add("b", {77}, true);
    EXPECT_EQ(by_references(), " ((1)(2))");
    add("c", {88, 99}, true);
    EXPECT_EQ(by_references(), " ((1)(2))(3)");
}

TEST_F(ThreadTest, GathersRootsOfOneSubject) {
    add("a", {});
    add("a", {}, true);
    add("a", {});
    add("", {});
    add("", {});
    EXPECT_EQ(by_references(), " ((1 2)(3))(4)(5)");
}

TEST_F(ThreadTest, AReplyThatCameFirstGoesBelowItsSubject) {
    add("a", {}, true);
    add("a", {});
    EXPECT_EQ(by_references(), " (2 1)");
}

TEST_F(ThreadTest, SurvivesLoopsAndSecondMessagesOfOneId) {
    add("a", {2});
    add("a", {1});
    EXPECT_EQ(by_references(), " (2 1)");
    messages_.push_back(messages_[0]);
    messages_.back().uid = 3;
    messages_.back().references = "<1> <1> <3> <1>";
    EXPECT_NE(by_references().find('3'), std::string::npos);
    add("x", {4});
    EXPECT_NE(by_references().find('4'), std::string::npos);
}

TEST_F(ThreadTest, AThreadMayBeAsDeepAsTheMailbox) {
    for (int i = 0; i < 20'000; ++i) add("deep", {i});
    const std::string all = by_references();
    EXPECT_TRUE(all.starts_with(" (1 2 3 4 "));
    EXPECT_TRUE(all.ends_with(" 20000)"));
}

TEST_F(ThreadTest, OrderedSubjectHasOneLevel) {
    add("b", {}, false, 5);
    add("a", {}, false, 4);
    add("b", {}, true, 3);
    add("b", {}, true, 9);
    EXPECT_EQ(by_subject(), " (3 (1)(4))(2)");
    messages_.clear();
    EXPECT_EQ(by_subject(), "");
}

}  // namespace
}  // namespace postern::imap_service

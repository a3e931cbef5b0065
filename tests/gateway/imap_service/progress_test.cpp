// Searches and copies that take long (RFC 9585), on the real service.
#include "tests/gateway/imap_service/service_fixture.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace postern::imap_service {
namespace {

class ProgressTest : public ServiceTest {
protected:
    void SetUp() override {
        ServiceTest::SetUp();
        backends_->progress_interval = std::chrono::milliseconds(1);
        for (int i = 0; i < 3; ++i) add("Subject: " + std::to_string(i) + "\n\nbody\n");
        get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    }
    // Nothing runs on the pool until what this gives is set.
    std::shared_ptr<std::promise<void>> hold_pool() {
        auto held = std::make_shared<std::promise<void>>();
        const std::shared_future<void> until = held->get_future().share();
        for (int i = 0; i < 2; ++i) pool_.post([until] { until.wait(); });
        return held;
    }
    template <class Kind>
    Kind answer_at_last(imap::Question question) {
        const auto held = hold_pool();
        get<imap::Progress>(*first_, std::move(question));
        for (int i = 0; i < 3; ++i) get<imap::Progress>(*first_, imap::GoOn{});
        held->set_value();
        for (;;) {
            auto answer = ask(*first_, imap::GoOn{});
            if (!std::holds_alternative<imap::Progress>(answer)) return std::get<Kind>(answer);
        }
    }
    static imap::SearchKey body(const std::string& text) {
        imap::SearchKey key;
        key.kind = imap::SearchKey::Kind::body;
        key.text = text;
        return key;
    }
};

TEST_F(ProgressTest, ASearchIsWaitedForInPieces) {
    EXPECT_EQ(answer_at_last<imap::SearchResult>(imap::Search{body("body")}).uids,
              (UidSet{1, 2, 3}));
}

TEST_F(ProgressTest, ASortAndAThreadAreWaitedForInPieces) {
    imap::SortKey by;
    by.reverse = true;
    by.by = imap::SortKey::By::subject;
    EXPECT_EQ(answer_at_last<imap::Sorted>(imap::Sort{body("body"), {by}}).uids,
              (std::vector<Uid>{3, 2, 1}));
    EXPECT_EQ(answer_at_last<imap::Threads>(
                  imap::Thread{body("body"), imap::ThreadAlgorithm::ordered_subject})
                  .nodes.size(),
              3U);
}

TEST_F(ProgressTest, ASessionMayEndMeanwhile) {
    const auto held = hold_pool();
    get<imap::Progress>(*first_, imap::Search{body("body")});
    first_.reset();
    held->set_value();
}

TEST_F(ProgressTest, WhatIsQuickHasNoProgress) {
    backends_->progress_interval = std::chrono::minutes(1);
    EXPECT_EQ(get<imap::SearchResult>(*first_, imap::Search{body("body")}).uids, (UidSet{1, 2, 3}));
    EXPECT_EQ(get<imap::MessagesCopied>(*first_, imap::CopyMessages{{1, 2}, "Sent", false}).to,
              (std::vector<Uid>{1, 2}));
    EXPECT_EQ(failure_code(*first_, imap::GoOn{}), "SERVERBUG");
}

TEST_F(ProgressTest, CountsWhatIsRead) {
    const std::atomic<bool> stopped = false;
    SearchProgress progress;
    ASSERT_TRUE(search(*mail_, box("INBOX"), body("body"), stopped, nullptr, &progress));
    EXPECT_EQ(progress.read, 3U);
    EXPECT_EQ(progress.goal, 3U);
}

}  // namespace
}  // namespace postern::imap_service

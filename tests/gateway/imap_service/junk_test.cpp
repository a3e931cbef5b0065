#include "gateway/imap_service/junk.h"

#include "tests/gateway/imap_service/mailbox_fixture.h"
#include "tests/gateway/temporary_folder.h"

#include <gtest/gtest.h>

namespace postern::imap_service {
namespace {

using learning::LearnAction;

mail::MailboxInfo named(std::string name, mail::SpecialUse use = mail::SpecialUse::none) {
    mail::MailboxInfo box;
    box.name = std::move(name);
    box.special_use = use;
    return box;
}

TEST(JunkSignal, OnlyMovesOverTheBorderOfJunkSaySomething) {
    const auto inbox = named("INBOX");
    const auto junk = named("Spam!", mail::SpecialUse::junk);
    const auto trash = named("Bin", mail::SpecialUse::trash);
    const auto archive = named("Archive", mail::SpecialUse::archive);
    EXPECT_EQ(junk_signal(inbox, junk, "Bin"), LearnAction::spam);
    EXPECT_EQ(junk_signal(trash, junk, "Bin"), LearnAction::spam);
    EXPECT_EQ(junk_signal(junk, inbox, "Bin"), LearnAction::ham);
    EXPECT_EQ(junk_signal(junk, archive, "Bin"), LearnAction::ham);
    EXPECT_EQ(junk_signal(junk, named("Bingo"), "Bin"), LearnAction::ham);
    EXPECT_EQ(junk_signal(junk, trash, "Bin"), std::nullopt);
    EXPECT_EQ(junk_signal(junk, named("Bin/2024"), "Bin"), std::nullopt);
    EXPECT_EQ(junk_signal(junk, inbox, ""), LearnAction::ham);
    EXPECT_EQ(junk_signal(junk, junk, "Bin"), std::nullopt);
    EXPECT_EQ(junk_signal(inbox, archive, "Bin"), std::nullopt);
    EXPECT_EQ(junk_signal(inbox, trash, "Bin"), std::nullopt);
}

class LearnMessagesTest : public MailboxTest {
protected:
    std::unique_ptr<learning::Learning> open_learning() {
        learning::LearningOptions options;
        options.folder = folder_.path("filter");
        auto opened =
            learning::Learning::open(*kv_, filters::make_models(16 * 1024 * 1024), options);
        EXPECT_TRUE(opened.has_value());
        return std::move(*opened);
    }
    TemporaryFolder folder_;
};

TEST_F(LearnMessagesTest, JobsAreDurableAndGoneMessagesAreLeftOut) {
    std::vector<Uid> uids;
    for (int i = 0; i < 150; ++i) {
        uids.push_back(add("Subject: word" + std::to_string(i) + "\n\nsome text here\n"));
    }
    uids.push_back(100'000);
    {
        auto learning = open_learning();
        const auto count = learn_messages(*mail_, *learning, box("INBOX"), uids, LearnAction::spam,
                                          "ann@example.org", from_unix_ms(1));
        ASSERT_TRUE(count.has_value()) << count.error().text;
        EXPECT_EQ(*count, 150u);
    }
    EXPECT_EQ(open_learning()->models()->stats().spam, 150u);
}

TEST_F(LearnMessagesTest, MovingBackRelearns) {
    const std::vector<Uid> uids{add("Subject: a\n\nsome text here\n")};
    auto learning = open_learning();
    for (const auto action : {LearnAction::spam, LearnAction::ham}) {
        ASSERT_TRUE(learn_messages(*mail_, *learning, box("INBOX"), uids, action, "ann", Time{}));
    }
    ASSERT_TRUE(learning->catch_up());
    EXPECT_EQ(learning->models()->stats().spam, 0u);
    EXPECT_EQ(learning->models()->stats().ham, 1u);
}

}  // namespace
}  // namespace postern::imap_service

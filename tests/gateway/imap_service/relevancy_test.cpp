#include "gateway/imap_service/relevancy.h"

#include "gateway/imap_service/sort.h"
#include "tests/gateway/imap_service/mailbox_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::imap_service {
namespace {

using imap::SearchKey;
using testing::ElementsAre;
using testing::Pair;
using Kind = SearchKey::Kind;

SearchKey join(Kind kind, std::vector<SearchKey> children) {
    SearchKey key;
    key.kind = kind;
    key.children = std::move(children);
    return key;
}
SearchKey fuzzy(Kind kind, std::string text) {
    SearchKey key;
    key.kind = kind;
    key.text = std::move(text);
    return join(Kind::fuzzy, {key});
}

class RelevancyTest : public MailboxTest {
protected:
    std::map<Uid, std::uint8_t> scores(const SearchKey& key) {
        auto found = relevancy(*mail_, box("INBOX"), mail_->state(box("INBOX"))->uids, key,
                               stopped_);
        EXPECT_TRUE(found.has_value()) << (found ? "" : found.error().text);
        return found ? *found : std::map<Uid, std::uint8_t>{};
    }
    std::atomic<bool> stopped_{false};
};

TEST_F(RelevancyTest, TheSubjectSaysMoreThanTheText) {
    add("Subject: lunch\n\nthe invoice\n");
    add("Subject: Invoice\n\nplease see the invoice\n");
    add("Subject: lunch\n\ninvoice invoice invoice\n");
    const auto found = scores(fuzzy(Kind::text, "invoice"));
    EXPECT_THAT(found, ElementsAre(Pair(1, 20), Pair(2, 100), Pair(3, 40)));
}

TEST_F(RelevancyTest, EachWordCountsAndWhatIsRuledOutDoesNot) {
    add("Subject: a\n\nred green\n");
    add("Subject: a\n\nred\n");
    const auto words = fuzzy(Kind::body, "red green");
    EXPECT_THAT(scores(words), ElementsAre(Pair(1, 100), Pair(2, 50)));
    EXPECT_THAT(scores(join(Kind::and_, {fuzzy(Kind::body, "red"),
                                         join(Kind::not_, {fuzzy(Kind::body, "green")})})),
                ElementsAre(Pair(1, 100), Pair(2, 100)));
    EXPECT_THAT(scores(fuzzy(Kind::body, "blue")),
                ElementsAre(Pair(1, least_relevancy), Pair(2, least_relevancy)));
}

TEST_F(RelevancyTest, SortsTheBestFirst) {
    add("Subject: a\n\nred\n");
    add("Subject: a\n\nred red red\n");
    add("Subject: a\n\nred\n");
    const auto all = mail_->state(box("INBOX"))->uids;
    const auto found = scores(fuzzy(Kind::body, "red"));
    imap::SortKey key{imap::SortKey::By::relevancy, false};
    EXPECT_THAT(*sort_messages(*mail_, box("INBOX"), all, {key}, stopped_, found),
                ElementsAre(2, 1, 3));
    key.reverse = true;
    EXPECT_THAT(*sort_messages(*mail_, box("INBOX"), all, {key}, stopped_, found),
                ElementsAre(1, 3, 2));
    EXPECT_TRUE(sorts_by_relevancy({key}));
    EXPECT_FALSE(sorts_by_relevancy({}));
}

TEST_F(RelevancyTest, OnlyTheNewestAreWeighed) {
    for (std::size_t i = 0; i <= max_weighed_messages; ++i) add("Subject: red\n\n");
    const auto found = scores(fuzzy(Kind::subject, "red"));
    EXPECT_EQ(found.size(), max_weighed_messages + 1);
    EXPECT_EQ(found.at(1), least_relevancy);
    EXPECT_EQ(found.at(2), most_relevancy);
    EXPECT_EQ(found.rbegin()->second, most_relevancy);
}

}  // namespace
}  // namespace postern::imap_service

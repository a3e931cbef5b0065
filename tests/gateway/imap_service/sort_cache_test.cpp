#include "gateway/imap_service/sort_cache.h"

#include "gateway/imap_service/sort.h"
#include "protocols/imap/pages.h"
#include "protocols/imap/thread_format.h"
#include "tests/gateway/imap_service/mailbox_fixture.h"

#include <gmock/gmock.h>

#include <random>

namespace postern::imap_service {
namespace {

using By = imap::SortKey::By;
using Keys = std::vector<imap::SortKey>;
using testing::ElementsAre;

class SortCacheTest : public MailboxTest {
protected:
    void SetUp() override {
        MailboxTest::SetUp();
        inbox_ = box("INBOX");
    }

    UidSet all() { return mail_->state(inbox_)->uids; }

    Result<imap::Sorted> ask(SortCache& cache, const UidSet& uids, const Keys& keys,
                             std::optional<imap::PartialRange> part = std::nullopt) {
        return cache.sort({*mail_, inbox_, uids, stopped_, &progress_}, {keys, relevancy_, part});
    }
    std::vector<Uid> sorted(const Keys& keys) { return ask(cache_, all(), keys)->uids; }

    void add_some(int count) {
        const auto any = [this](int below) { return static_cast<int>(random_() % below); };
        for (int i = 0; i < count; ++i) {
            const std::string name(1, static_cast<char>('a' + any(5)));
            add("From: " + name + "@x\nTo: \"N" + std::to_string(any(3)) + "\" <t@x>\nSubject: s" +
                    std::to_string(any(4)) + "\nDate: Mon, 1 Jan 2024 10:0" +
                    std::to_string(any(6)) + ":00 +0000\n\nbody\n",
                {}, 19'000 + any(5));
        }
    }
    void expunge(const UidSet& uids) {
        EXPECT_TRUE(
            mail::wait<UidSet>([&](auto done) { mail_->expunge(inbox_, uids, true, done); }));
    }
    UidSet some_of(const UidSet& uids) {
        UidSet out;
        for (const Uid uid : uids.to_vector()) {
            if (random_() % 3 != 0) out.add(uid);
        }
        return out;
    }
    Keys any_keys() {
        Keys keys;
        for (auto count = 1 + random_() % 3; count > 0; --count) {
            keys.push_back({static_cast<By>(random_() % 9), random_() % 2 == 0});
        }
        return keys;
    }

    MailboxId inbox_;
    SortCache cache_;
    SearchProgress progress_;
    std::atomic<bool> stopped_{false};
    std::map<Uid, std::uint8_t> relevancy_;
    std::mt19937 random_{5};
};

TEST_F(SortCacheTest, AnswersAsReadingDoesWhateverHappensToTheMailbox) {
    for (int round = 0; round < 60; ++round) {
        add_some(1 + static_cast<int>(random_() % 5));
        if (random_() % 2 == 0) expunge(all() - some_of(all()) - some_of(all()));
        const UidSet asked = round % 4 == 0 ? all() : some_of(all());
        const Keys keys = any_keys();
        const auto expected = sort_messages(*mail_, inbox_, asked, keys, stopped_);
        ASSERT_TRUE(expected.has_value());
        const auto whole = ask(cache_, asked, keys);
        ASSERT_TRUE(whole.has_value());
        ASSERT_EQ(whole->uids, *expected) << round;
        EXPECT_EQ(whole->count, expected->size());
        const auto from = 1 + static_cast<std::int64_t>(random_() % 8);
        const auto to = from + static_cast<std::int64_t>(random_() % 5);
        const imap::PartialRange ranges[] = {{from, to}, {-from, -to}};
        for (const auto& range : ranges) {
            const auto part = ask(cache_, asked, keys, range);
            ASSERT_TRUE(part.has_value());
            EXPECT_EQ(part->count, expected->size());
            const auto [first, last] = imap::positions_of(range, part->count);
            std::vector<Uid> named;
            for (auto at = first; at <= last; ++at) named.push_back((*expected)[at - 1]);
            ASSERT_EQ(part->uids, named) << round;
            EXPECT_EQ(part->skipped, named.empty() ? 0 : first - 1) << round;
        }
    }
    EXPECT_EQ(cache_.mailboxes(), 1u);
}

TEST_F(SortCacheTest, ThreadsAreThoseOfReading) {
    using Algorithm = imap::ThreadAlgorithm;
    std::vector<std::string> ids;
    for (int round = 0; round < 40; ++round) {
        for (auto more = 1 + random_() % 3; more > 0; --more) {
            const auto known = [&] { return ids.empty() ? "<0@x>" : ids[random_() % ids.size()]; };
            ids.push_back("<" + std::to_string(ids.size() + 1) + "@x>");
            add("Message-ID: " + ids.back() + "\nReferences: " + known() + " " + known() +
                "\nSubject: Re: s" + std::to_string(random_() % 6) + "\n\nbody\n");
        }
        if (round % 3 == 0) expunge(all() - some_of(all()) - some_of(all()));
        const UidSet asked = round % 4 == 0 ? all() : some_of(all());
        SortCache fresh, none(0);
        for (const auto algorithm : {Algorithm::references, Algorithm::ordered_subject}) {
            const auto threads = [&](SortCache& cache) {
                auto made = cache.thread({*mail_, inbox_, asked, stopped_, &progress_}, algorithm);
                EXPECT_TRUE(made.has_value());
                return imap::format_threads(*made, [](Uid uid) { return uid; });
            };
            const auto expected = threads(none);
            EXPECT_EQ(threads(cache_), expected) << round;
            EXPECT_EQ(threads(fresh), expected) << round;
        }
    }
    const auto before = progress_.read.load();
    const UidSet asked = all();
    ASSERT_TRUE(
        cache_.thread({*mail_, inbox_, asked, stopped_, &progress_}, Algorithm::references));
    EXPECT_EQ(progress_.read, before) << "all of them are kept";
}

TEST_F(SortCacheTest, ReadsAMessageOnceForEachKey) {
    add_some(10);
    sorted({{By::date, true}});
    EXPECT_EQ(progress_.read, 10u);
    sorted({{By::date, false}});
    EXPECT_EQ(progress_.read, 10u);
    add_some(2);
    sorted({{By::date, true}});
    EXPECT_EQ(progress_.read, 12u);
    sorted({{By::subject, true}, {By::date, true}});
    EXPECT_EQ(progress_.read, 24u);
    expunge({1, 2});
    sorted({{By::subject, true}, {By::date, true}});
    EXPECT_EQ(progress_.read, 24u);
}

TEST_F(SortCacheTest, ReadsAnewWhenMoreThanAQuarterIsGone) {
    add_some(8);
    sorted({{By::date, true}});
    expunge({1, 8});
    sorted({{By::date, true}});
    EXPECT_EQ(progress_.read, 8u);
    expunge({3});
    sorted({{By::date, true}});
    EXPECT_EQ(progress_.read, 8u + 5u);
}

TEST_F(SortCacheTest, MessagesWithoutASummaryAreParsed) {
    add("Subject: b\n\n", {}, 19'000, false);
    add("Subject: a\n\n", {}, 19'000, false);
    EXPECT_THAT(sorted({{By::subject, false}}), ElementsAre(2, 1));
}

TEST_F(SortCacheTest, ManyNewOnesAreMergedIntoTheirOrder) {
    add("Subject: m\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\n");
    const Keys keys{{By::subject, false}, {By::date, true}};
    sorted(keys);
    add_some(70);
    EXPECT_EQ(sorted(keys), *sort_messages(*mail_, inbox_, all(), keys, stopped_));
}

TEST_F(SortCacheTest, ASmallShareIsReadInstead) {
    for (std::uint64_t i = 0; i < min_cached_share; ++i) add("Subject: s\n\n");
    EXPECT_THAT(ask(cache_, {3}, {{By::size, false}})->uids, ElementsAre(3));
    EXPECT_EQ(cache_.mailboxes(), 1u) << "one in so many is no less than the share";
    SortCache other;
    add("Subject: s\n\n");
    EXPECT_THAT(ask(other, {3}, {{By::size, false}})->uids, ElementsAre(3));
    EXPECT_EQ(other.mailboxes(), 0u);
}

TEST_F(SortCacheTest, KeepsToItsMemory) {
    add_some(20);
    const Keys keys{{By::from, true}, {By::subject, false}};
    const auto expected = *sort_messages(*mail_, inbox_, all(), keys, stopped_);
    ASSERT_TRUE(ask(cache_, all(), keys));
    const std::size_t needed = cache_.bytes();
    ASSERT_GT(needed, 0u);

    SortCache exact(needed), small(needed - 1);
    EXPECT_EQ(ask(exact, all(), keys)->uids, expected);
    EXPECT_EQ(exact.bytes(), needed);
    EXPECT_EQ(ask(small, all(), keys)->uids, expected);
    EXPECT_LT(small.bytes(), needed / 2) << "what is too large is let go";
    const auto read = progress_.read.load();
    EXPECT_EQ(ask(small, all(), keys)->uids, expected);
    EXPECT_EQ(progress_.read, read + 20) << "and not tried again";

    inbox_ = box("Sent");
    add_to("Sent", "Subject: s\n\n");
    ASSERT_TRUE(ask(exact, all(), keys));
    EXPECT_EQ(exact.mailboxes(), 1u);
    EXPECT_LE(exact.bytes(), needed);
}

TEST_F(SortCacheTest, ReadingThatWasGivenUpGoesOnLater) {
    add_some(5);
    const Keys keys{{By::date, false}};
    stopped_ = true;
    const auto given_up = ask(cache_, all(), keys);
    ASSERT_FALSE(given_up.has_value());
    EXPECT_EQ(given_up.error().code, Errc::unavailable);
    stopped_ = false;
    EXPECT_EQ(sorted(keys), *sort_messages(*mail_, inbox_, all(), keys, stopped_));
}

TEST_F(SortCacheTest, ByRelevancyIsSortedWithoutIt) {
    add_some(3);
    relevancy_ = {{1, 10}, {2, 90}, {3, 50}};
    EXPECT_THAT(sorted({{By::relevancy, false}}), ElementsAre(2, 3, 1));
    EXPECT_EQ(cache_.mailboxes(), 0u);
}

}  // namespace
}  // namespace postern::imap_service

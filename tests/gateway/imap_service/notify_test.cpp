// What NOTIFY watches (RFC 5465), on the real service.
#include "store/mail/mailbox_names.h"
#include "tests/gateway/imap_service/service_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace postern::imap_service {
namespace {

using imap::WatchEvents;
using imap::WatchGroup;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using Filter = imap::WatchGroup::Filter;

constexpr WatchEvents messages{true, false, false, false, false, false};
constexpr WatchEvents flags{true, true, false, false, false, false};
constexpr WatchEvents names{false, false, true, true, false, false};
constexpr WatchEvents metadata{false, false, false, false, true, true};

std::string text_of(const imap::News::Status& news) {
    return news.mailbox + (news.messages ? " messages=" + std::to_string(news.data.messages) : "") +
           (news.flags ? " unseen=" + std::to_string(news.data.unseen) : "") +
           (news.first ? " first" : "");
}
std::string text_of(const imap::News::Name& news) {
    return (news.old_name.empty() ? "" : news.old_name + " -> ") + news.mailbox.name +
           (news.mailbox.exists ? "" : " gone") + (news.mailbox.subscribed ? " subscribed" : "") +
           (news.has_children ? " parent" : "");
}
std::string text_of(const imap::News::Metadata& news) {
    std::string out = "metadata of '" + news.mailbox + "'";
    for (const std::string& entry : news.entries) out += ' ' + entry;
    return out;
}

class NotifyTest : public ServiceTest {
protected:
    void SetUp() override {
        ServiceTest::SetUp();
        second_ = connect();
    }
    void watch(std::vector<WatchGroup> groups, bool status = false) {
        get<imap::Done>(*first_, imap::Watch{std::move(groups), status});
    }
    std::vector<std::string> news() { return news(*first_); }
    // The store's hints come after its answers, but before its answer to the next commit.
    void wait_for_hints() {
        kv::Batch batch;
        batch.shard = {kv::ShardKind::pool, 1, 0};
        batch.operation = kv::random_id();
        batch.operations.emplace_back(kv::Put{"x", "y"});
        EXPECT_TRUE(kv_->commit_and_wait(std::move(batch)));
    }
    std::vector<std::string> news(Connection& connection) {
        wait_for_hints();
        std::vector<std::string> out;
        for (bool more = true; more;) {
            const auto answer = get<imap::News>(connection, imap::GetNews{});
            EXPECT_LE(answer.items.size(), imap::max_news_items);
            for (const auto& each : answer.items) {
                out.push_back(std::visit([](const auto& item) { return text_of(item); }, each));
            }
            if (answer.overflow) out.emplace_back("overflow");
            more = answer.more;
        }
        return out;
    }
    void seen(const std::string& name, Uid uid) {
        mail::FlagChange change;
        change.flags.set(SystemFlag::seen);
        EXPECT_TRUE(mail::wait<mail::FlagResult>(
            [&](auto done) { mail_->change_flags(box(name), {uid}, change, std::move(done)); }));
    }
    // As many as there may be, with names as long as they may be.
    static imap::SetAnnotations annotations_for(const std::string& mailbox) {
        imap::SetAnnotations many{mailbox, {}};
        for (std::size_t i = 0; i < mail::max_annotations_per_mailbox; ++i) {
            const std::string entry = "/shared/" + std::to_string(1000 + i);
            const std::string rest(mail::max_annotation_name_bytes - entry.size(), 'x');
            many.changes.emplace_back(entry + rest, "v");
        }
        return many;
    }
    void annotate(Connection& connection, const std::string& mailbox, const std::string& entry,
                  std::optional<std::string> value) {
        get<imap::Done>(connection, imap::SetAnnotations{mailbox, {{entry, std::move(value)}}});
    }

    std::unique_ptr<Connection> second_;
};

TEST_F(NotifyTest, TellsOfMessagesInWatchedMailboxesAlone) {
    watch({{Filter::mailboxes, {"Sent", "Archive"}, messages}, {Filter::inboxes, {}, flags}});
    EXPECT_THAT(news(), IsEmpty());
    const int wakes = first_->session.waker_->wakes;
    add_to("Sent", "Subject: 1\n\n");
    add_to("Sent", "Subject: 2\n\n");
    add_to("Drafts", "Subject: 3\n\n");
    add_to("Junk", "Subject: 4\n\n");
    wait_for_hints();
    EXPECT_GT(first_->session.waker_->wakes, wakes);
    EXPECT_THAT(news(), ElementsAre("Junk messages=1 unseen=1", "Sent messages=2"));
    EXPECT_THAT(news(), IsEmpty());
    seen("Junk", 1);
    seen("Sent", 1);
    EXPECT_THAT(news(), ElementsAre("Junk unseen=0"));
}

TEST_F(NotifyTest, TheStatusAtFirstIsOfMailboxesWithMessageEvents) {
    add("Subject: 1\n\n");
    watch({{Filter::inboxes, {}, flags}, {Filter::personal, {}, names}}, true);
    EXPECT_THAT(news(),
                ElementsAre("INBOX messages=1 unseen=1 first", "Junk messages=0 unseen=0 first"));
    EXPECT_THAT(news(), IsEmpty());
}

TEST_F(NotifyTest, TheSelectedMailboxIsToldOtherwise) {
    watch({{Filter::personal, {}, messages}});
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    add("Subject: 1\n\n");
    EXPECT_THAT(news(), IsEmpty());
    get<imap::MailboxChanges>(*first_, imap::Refresh{});
    get<imap::Done>(*first_, imap::CloseMailbox{});
    EXPECT_THAT(news(), IsEmpty()) << "the client saw it";
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    add("Subject: 2\n\n");
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"Sent", false});
    EXPECT_THAT(news(), ElementsAre("INBOX messages=2")) << "the client did not see it";
}

TEST_F(NotifyTest, WhatThisSessionDidIsNoNews) {
    watch({{Filter::personal, {}, messages},
           {Filter::personal, {}, names},
           {Filter::personal, {}, metadata}});
    get<imap::Done>(*first_, imap::CreateMailbox{"Work/2025", ""});
    get<imap::Done>(*first_, imap::Subscribe{"Work", true});
    get<imap::Done>(*first_, imap::RenameMailbox{"Work", "Play"});
    annotate(*first_, "Play", "/shared/comment", "x");
    annotate(*first_, "", "/shared/comment", "x");
    first_->service.take(imap::AppendChunk{"Subject: own\r\n\r\n"});
    get<imap::AppendDone>(*first_, imap::AppendMessage{"Sent", {}, {}, 0});
    get<imap::Done>(*first_, imap::DeleteMailbox{"Play/2025"});
    EXPECT_THAT(news(), IsEmpty());
    first_->service.take(imap::AppendChunk{"Subject: own\r\n\r\n"});
    add_to("Sent", "Subject: somebody's\n\n");
    get<imap::AppendDone>(*first_, imap::AppendMessage{"Sent", {}, {}, 0});
    EXPECT_THAT(news(), ElementsAre("Sent messages=3"));
}

TEST_F(NotifyTest, TellsOfNames) {
    watch({{Filter::personal, {}, names}, {Filter::subtree, {"Work"}, messages}});
    get<imap::Done>(*second_, imap::CreateMailbox{"Work/2025", ""});
    EXPECT_THAT(news(), ElementsAre("Work parent", "Work/2025"));
    get<imap::Done>(*second_, imap::Subscribe{"Work/2025", true});
    EXPECT_THAT(news(), ElementsAre("Work/2025 subscribed"));
    get<imap::Done>(*second_, imap::RenameMailbox{"Work/2025", "Work/2026"});
    EXPECT_THAT(news(), testing::Contains("Work/2025 -> Work/2026"));
    add_to("Work/2026", "Subject: 1\n\n");
    EXPECT_THAT(news(), ElementsAre("Work/2026 messages=1"));
    get<imap::Done>(*second_, imap::DeleteMailbox{"Work/2026"});
    EXPECT_THAT(news(), ElementsAre("Work/2026 gone"));
    get<imap::Done>(*second_, imap::Subscribe{"INBOX", false});
    EXPECT_THAT(news(), ElementsAre("INBOX"));
}

TEST_F(NotifyTest, AMailboxMadeAgainHasAnotherUidValidity) {
    get<imap::Done>(*second_, imap::CreateMailbox{"Work", ""});
    watch({{Filter::mailboxes, {"Work"}, messages}});
    get<imap::Done>(*second_, imap::DeleteMailbox{"Work"});
    EXPECT_THAT(news(), IsEmpty());
    get<imap::Done>(*second_, imap::CreateMailbox{"Work", ""});
    EXPECT_THAT(news(), IsEmpty());
    add_to("Work", "Subject: 1\n\n");
    EXPECT_THAT(news(), ElementsAre("Work messages=1"));
}

TEST_F(NotifyTest, SubscriptionsAreFollowed) {
    watch({{Filter::subscribed, {}, messages}});
    get<imap::Done>(*second_, imap::CreateMailbox{"Work", ""});
    add_to("Work", "Subject: 1\n\n");
    EXPECT_THAT(news(), IsEmpty());
    get<imap::Done>(*second_, imap::Subscribe{"Work", true});
    EXPECT_THAT(news(), IsEmpty());
    add_to("Work", "Subject: 2\n\n");
    EXPECT_THAT(news(), ElementsAre("Work messages=2"));
}

TEST_F(NotifyTest, TellsOfMetadata) {
    watch({{Filter::inboxes, {}, metadata}});
    annotate(*second_, "INBOX", "/shared/comment", "a");
    annotate(*second_, "Sent", "/shared/comment", "a");
    annotate(*second_, "", "/private/vendor/x", "a");
    EXPECT_THAT(news(), ElementsAre("metadata of '' /private/vendor/x",
                                    "metadata of 'INBOX' /shared/comment"));
    annotate(*second_, "INBOX", "/shared/comment", "b");
    EXPECT_THAT(news(), ElementsAre("metadata of 'INBOX' /shared/comment"));
    annotate(*second_, "INBOX", "/shared/comment", std::nullopt);
    EXPECT_THAT(news(), ElementsAre("metadata of 'INBOX' /shared/comment"));
}

TEST_F(NotifyTest, TellsThatEachHasAnOwnSeen) {
    const std::string entry(own_seen_entry);
    watch({{Filter::personal, {}, metadata}});
    for (const char* value : {"own", "common"}) {
        annotate(*second_, "Sent", entry, value);
        EXPECT_THAT(news(), ElementsAre("metadata of 'Sent' " + entry));
        annotate(*second_, "Sent", entry, value);
        EXPECT_THAT(news(), IsEmpty()) << "it is so already";
    }
    annotate(*first_, "Sent", entry, "own");
    EXPECT_THAT(news(), IsEmpty()) << "one's own doing";
}

TEST_F(NotifyTest, RightsThatAreTakenAwayEndTheNewsSilently) {
    auto user = directory_.add_user("bob@example.org", *auth::hash_password("secret"));
    ASSERT_TRUE(user.has_value());
    ASSERT_TRUE(mail::wait<void>([&](auto done) { mail_->create_account(user->id, done); }));
    auto bob = connect(false);
    get<imap::Done>(*bob, imap::Authenticate{"PLAIN", "", "bob@example.org", "secret"});
    const std::string inbox = "Other Users/ann@example.org/INBOX";
    get<imap::Done>(*first_, imap::SetAcl{"INBOX", "bob", FlagMode::replace, "lr"});
    get<imap::Done>(*bob, imap::Watch{{{Filter::subtree, {"Other Users"}, messages}}, false});
    add("Subject: 1\n\n");
    EXPECT_THAT(news(*bob), ElementsAre(inbox + " messages=1"));
    get<imap::Done>(*first_, imap::SetAcl{"INBOX", "bob", FlagMode::replace, ""});
    add("Subject: 2\n\n");
    EXPECT_THAT(news(*bob), IsEmpty());
    get<imap::Done>(*first_, imap::SetAcl{"INBOX", "bob", FlagMode::replace, "lr"});
    add("Subject: 3\n\n");
    EXPECT_THAT(news(*bob), ElementsAre(inbox + " messages=3"));
}

TEST_F(NotifyTest, ALongAnswerComesInPages) {
    for (std::size_t i = 0; i <= imap::max_news_items; ++i) {
        get<imap::Done>(*second_, imap::CreateMailbox{"Box/" + std::to_string(i), ""});
    }
    watch({{Filter::subtree, {"Box"}, messages}}, true);
    const auto first = get<imap::News>(*first_, imap::GetNews{});
    EXPECT_EQ(first.items.size(), imap::max_news_items);
    EXPECT_TRUE(first.more);
    EXPECT_EQ(news().size(), 2U) << "Box itself, and one more than a page";
}

TEST_F(NotifyTest, AnnotationsOfMailboxesThatAreGoneCountNoMore) {
    watch({{Filter::personal, {}, metadata}});
    const std::size_t one = mail::max_annotations_per_mailbox * mail::max_annotation_name_bytes;
    for (std::size_t all = 0; all <= 2 * max_watched_entry_bytes; all += one) {
        get<imap::Done>(*second_, imap::CreateMailbox{"Box", ""});
        get<imap::Done>(*second_, annotations_for("Box"));
        EXPECT_THAT(news(), Not(Contains("overflow")));
        get<imap::Done>(*second_, imap::DeleteMailbox{"Box"});
        EXPECT_THAT(news(), Not(Contains("overflow"))) << all;
    }
}

TEST_F(NotifyTest, AnothersOwnSeenIsNoNews) {
    add_to("Sent", "Subject: 1\n\n");
    ASSERT_TRUE(mail::wait<void>(
        [&](auto done) { mail_->set_own_seen(box("Sent"), true, std::move(done)); }));
    watch({{Filter::mailboxes, {"Sent"}, flags}});
    const AccountId another{4711};
    mail::FlagChange change;
    change.flags.set(SystemFlag::seen);
    change.mode = FlagMode::remove;
    const auto change_of_another = [&] {
        return mail::wait<mail::FlagResult>([&](auto done) {
            mail_->change_flags({box("Sent"), another}, {1}, change, std::move(done));
        });
    };
    ASSERT_TRUE(change_of_another());
    change.mode = FlagMode::add;
    ASSERT_TRUE(change_of_another());
    EXPECT_THAT(news(), IsEmpty());
    change.flags = {};
    change.flags.set(SystemFlag::flagged);
    ASSERT_TRUE(change_of_another());
    EXPECT_EQ(news().size(), 1U) << "what is for all";
    seen("Sent", 1);
    EXPECT_EQ(news().size(), 1U) << "one's own";
}

TEST_F(NotifyTest, TooManyAnnotationsEndIt) {
    watch({{Filter::personal, {}, metadata}});
    std::size_t all = 0;
    std::vector<std::string> last;
    for (int box = 0; all <= max_watched_entry_bytes; ++box) {
        const std::string name = "Box" + std::to_string(box);
        get<imap::Done>(*second_, imap::CreateMailbox{name, ""});
        all += mail::max_annotations_per_mailbox * mail::max_annotation_name_bytes;
        const bool fits = all <= max_watched_entry_bytes;
        get<imap::Done>(*second_, annotations_for(name));
        last = news();
        EXPECT_EQ(std::count(last.begin(), last.end(), "overflow"), fits ? 0 : 1) << all;
    }
    EXPECT_FALSE(first_->session.events.empty());
    EXPECT_THAT(news(), IsEmpty()) << "nothing is watched any more";
    EXPECT_EQ(failure_code(*first_, imap::Watch{{{Filter::personal, {}, metadata}}, false}),
              "LIMIT");
}

// Names and no more: subscriptions of mailboxes that are gone.
TEST_F(NotifyTest, SoManyNamesAndNoMore) {
    const auto subscribe = [&](std::size_t from, std::size_t to) {
        for (; from < to; from += 400) {
            ASSERT_TRUE(mail::change_names(*kv_, account_, [&](mail::NameTable& table) {
                for (std::size_t i = from; i < std::min(to, from + 400); ++i) {
                    table.subscribed.insert("gone" + std::to_string(i));
                }
                return Result<void>();
            }));
        }
    };
    const std::vector<WatchGroup> group{{Filter::mailboxes, {"INBOX"}, names}};
    const auto there = get<imap::MailboxList>(*first_, imap::ListMailboxes{});
    const std::size_t limit = max_watched_names - there.mailboxes.size();
    subscribe(0, limit - 1);
    watch(group);
    subscribe(limit - 1, limit);
    EXPECT_THAT(news(), IsEmpty());
    watch(group);
    subscribe(limit, limit + 1);
    EXPECT_THAT(news(), ElementsAre("overflow"));
    EXPECT_EQ(failure_code(*first_, imap::Watch{group, false}), "LIMIT");
}

TEST_F(NotifyTest, SoManyOctetsOfEntriesAndNoMore) {
    constexpr std::size_t last_bytes = 100;
    std::size_t left = max_watched_entry_bytes - last_bytes;
    for (int box = 0; left > 0; ++box) {
        imap::SetAnnotations many{"Box" + std::to_string(box), {}};
        get<imap::Done>(*second_, imap::CreateMailbox{many.mailbox, ""});
        for (int i = 0; i < 199 && left > 0; ++i) {
            std::size_t size = std::min(left, mail::max_annotation_name_bytes);
            if (left - size < last_bytes && left > size) size = left - last_bytes;
            std::string entry = "/shared/" + std::to_string(1000 + i);
            entry.resize(size, 'x');
            many.changes.emplace_back(std::move(entry), "v");
            left -= size;
        }
        get<imap::Done>(*second_, many);
    }
    const std::vector<WatchGroup> group{{Filter::personal, {}, metadata}};
    for (const std::size_t size : {last_bytes - 1, last_bytes, last_bytes + 1}) {
        std::string entry = "/shared/last";
        entry.resize(size, 'x');
        annotate(*second_, "Sent", entry, "v");
        if (size > last_bytes) {
            EXPECT_EQ(failure_code(*first_, imap::Watch{group, false}), "LIMIT");
        } else {
            watch(group);
        }
        annotate(*second_, "Sent", entry, std::nullopt);
    }
}

TEST_F(NotifyTest, NoGroupsWatchNothing) {
    watch({{Filter::personal, {}, messages}});
    EXPECT_TRUE(first_->service.woken());
    watch({});
    EXPECT_FALSE(first_->service.woken());
    add("Subject: 1\n\n");
    EXPECT_THAT(news(), IsEmpty());
}

}  // namespace
}  // namespace postern::imap_service

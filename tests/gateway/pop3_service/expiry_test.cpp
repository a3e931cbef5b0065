#include "gateway/pop3_service/expiry.h"

#include "tests/store/mail/fixture.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace postern::pop3_service {
namespace {

constexpr std::int64_t day_ms = 24 * 3600 * 1000;

class Expiry : public mail::MailStoreFixture {
protected:
    void remove_expired_now() {
        boost::asio::io_context io;
        boost::asio::co_spawn(io,
                              remove_expired(*mail_, preferences_, from_unix_ms(now_ms_.load())),
                              boost::asio::detached);
        io.run();
    }
    directory::AccountPreferences preferences_{*kv_};
};

TEST_F(Expiry, WhatIsOlderThanTheLimitGoesFromWhatPop3Shows) {
    const auto inbox = id("INBOX");
    const auto junk = id("Junk");
    const auto archive = id("Archive");
    for (const char* text : {"old", "older"}) {
        for (const auto mailbox : {inbox, junk, archive}) ASSERT_TRUE(append(mailbox, text));
    }
    now_ms_ += 10 * day_ms;
    ASSERT_TRUE(append(inbox, "young"));
    now_ms_ += 10 * day_ms;
    ASSERT_TRUE(preferences_.set(account_, {{"INBOX", "Junk", "no such mailbox"}, 21}));
    remove_expired_now();
    EXPECT_EQ(texts(inbox).size(), 3u);
    ASSERT_TRUE(preferences_.set(account_, {{"INBOX", "Junk", "no such mailbox"}, 20}));
    now_ms_ += 1000;
    remove_expired_now();
    EXPECT_EQ(texts(inbox), std::vector<std::string>{"young"});
    EXPECT_TRUE(texts(junk).empty());
    EXPECT_EQ(texts(archive).size(), 2u) << "POP3 does not show it";
}

TEST_F(Expiry, NothingGoesWithoutALimit) {
    ASSERT_TRUE(append(id("INBOX"), "kept"));
    now_ms_ += 10'000 * day_ms;
    remove_expired_now();
    ASSERT_TRUE(preferences_.set(account_, {{"INBOX", "Junk"}, 0}));
    remove_expired_now();
    EXPECT_EQ(texts(id("INBOX")).size(), 1u);
    EXPECT_FALSE(shortest_expiry(preferences_));
    ASSERT_TRUE(preferences_.set({1}, {{"INBOX"}, 30}));
    ASSERT_TRUE(preferences_.set({2}, {{"INBOX"}, 7}));
    EXPECT_EQ(shortest_expiry(preferences_), 7u);
}

}  // namespace
}  // namespace postern::pop3_service

#include "store/directory/preferences.h"

#include <gtest/gtest.h>

namespace postern::directory {
namespace {

class PreferencesTest : public testing::Test {
protected:
    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    AccountPreferences preferences_{*store_};
};

TEST_F(PreferencesTest, DefaultsUntilSetAndNothingIsKeptOfThem) {
    EXPECT_EQ(*preferences_.get({1}), Preferences{});
    const Preferences other{{"INBOX", "Junk"}, 90};
    ASSERT_TRUE(preferences_.set({1}, other));
    ASSERT_TRUE(preferences_.set({256}, {{"Archive"}, 0}));
    EXPECT_EQ(*preferences_.get({1}), other);
    EXPECT_EQ(*preferences_.get({2}), Preferences{});
    const auto all = *preferences_.all();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].first, AccountId{1});
    EXPECT_EQ(all[1].first, AccountId{256});
    EXPECT_EQ(all[1].second.pop3_mailboxes, std::vector<std::string>{"Archive"});
    ASSERT_TRUE(preferences_.set({1}, {}));
    EXPECT_EQ(preferences_.all()->size(), 1u);
}

TEST_F(PreferencesTest, Bounds) {
    EXPECT_EQ(preferences_.set({1}, {{}, 0}).error().code, Errc::invalid);
    EXPECT_EQ(preferences_.set({1}, {{""}, 0}).error().code, Errc::invalid);
    EXPECT_EQ(preferences_.set({1}, {{std::string(1001, 'a')}, 0}).error().code, Errc::invalid);
    EXPECT_TRUE(preferences_.set({1}, {{std::string(1000, 'a')}, 0}));
    std::vector<std::string> names(max_pop3_mailboxes, "a");
    EXPECT_TRUE(preferences_.set({1}, {names, 0}));
    names.emplace_back("b");
    EXPECT_EQ(preferences_.set({1}, {names, 0}).error().code, Errc::limit);
    EXPECT_TRUE(preferences_.set({1}, {{"INBOX"}, max_pop3_expire_days}));
    EXPECT_EQ(preferences_.set({1}, {{"INBOX"}, max_pop3_expire_days + 1}).error().code,
              Errc::invalid);
}

}  // namespace
}  // namespace postern::directory

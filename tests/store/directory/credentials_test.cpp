#include "store/directory/credentials.h"

#include <gtest/gtest.h>

namespace postern::directory {
namespace {

class CredentialsTest : public testing::Test {
protected:
    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    Credentials credentials_{*store_};
    const AccountId ann_{1};
    const AccountId bob_{2};
};

TEST_F(CredentialsTest, ScramKeysBelongToOnePassword) {
    EXPECT_FALSE(*credentials_.scram(ann_, "hash"));
    ASSERT_TRUE(credentials_.set_scram(ann_, {"salt", 4096, "stored", "server"}, "hash"));
    const auto keys = *credentials_.scram(ann_, "hash");
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->salt, "salt");
    EXPECT_EQ(keys->iterations, 4096u);
    EXPECT_EQ(keys->stored_key, "stored");
    EXPECT_EQ(keys->server_key, "server");
    EXPECT_FALSE(*credentials_.scram(ann_, "another hash"));
    EXPECT_FALSE(*credentials_.scram(bob_, "hash"));
}

TEST_F(CredentialsTest, AppPasswords) {
    EXPECT_TRUE(credentials_.add_app_password(ann_, {"phone", "h1", from_unix_ms(7)}));
    EXPECT_TRUE(credentials_.add_app_password(ann_, {"tablet", "h2", from_unix_ms(8)}));
    EXPECT_EQ(credentials_.add_app_password(ann_, {"phone", "h3", {}}).error().code, Errc::exists);
    const auto all = *credentials_.app_passwords(ann_);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].name, "phone");
    EXPECT_EQ(all[0].hash, "h1");
    EXPECT_EQ(to_unix_ms(all[0].created), 7);
    EXPECT_TRUE(credentials_.app_passwords(bob_)->empty());
    EXPECT_EQ(credentials_.remove_app_password(ann_, "none").error().code, Errc::not_found);
    EXPECT_TRUE(credentials_.remove_app_password(ann_, "phone"));
    EXPECT_TRUE(credentials_.remove_app_password(ann_, "tablet"));
    EXPECT_TRUE(credentials_.app_passwords(ann_)->empty());
}

TEST_F(CredentialsTest, TheSaltStaysAndAppPasswordsKeepTheirKeys) {
    EXPECT_EQ(*credentials_.scram_salt(ann_), "");
    ASSERT_TRUE(credentials_.set_scram(ann_, {"salt", 4096, "stored", "server"}, "hash"));
    EXPECT_EQ(*credentials_.scram_salt(ann_), "salt");
    const ScramKeys keys{"salt", 4096, "stored 2", "server 2"};
    ASSERT_TRUE(credentials_.add_app_password(ann_, {"phone", "h1", from_unix_ms(7), keys}));
    ASSERT_TRUE(credentials_.add_app_password(ann_, {"tablet", "h2", from_unix_ms(8)}));
    const auto all = *credentials_.app_passwords(ann_);
    ASSERT_EQ(all.size(), 2u);
    ASSERT_TRUE(all[0].scram);
    EXPECT_EQ(all[0].scram->salt, "salt");
    EXPECT_EQ(all[0].scram->iterations, 4096u);
    EXPECT_EQ(all[0].scram->stored_key, "stored 2");
    EXPECT_EQ(all[0].scram->server_key, "server 2");
    EXPECT_FALSE(all[1].scram);
}

TEST_F(CredentialsTest, TheFirstDecoySecretStays) {
    EXPECT_EQ(*credentials_.decoy_secret("first"), "first");
    EXPECT_EQ(*credentials_.decoy_secret("second"), "first");
}

TEST_F(CredentialsTest, Limits) {
    for (const int over : {-1, 0, 1}) {
        const std::string name(max_app_password_name_bytes + over, 'n');
        EXPECT_EQ(credentials_.add_app_password(bob_, {name, "h", {}}).has_value(), over <= 0);
    }
    EXPECT_FALSE(credentials_.add_app_password(bob_, {"", "h", {}}));
    EXPECT_FALSE(credentials_.add_app_password(bob_, {"a\nb", "h", {}}));
    for (std::size_t i = 0; i < max_app_passwords; ++i) {
        EXPECT_TRUE(credentials_.add_app_password(ann_, {std::to_string(i), "h", {}}));
    }
    EXPECT_EQ(credentials_.add_app_password(ann_, {"more", "h", {}}).error().code, Errc::limit);
}

}  // namespace
}  // namespace postern::directory

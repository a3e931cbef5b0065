#include "gateway/auth/password.h"

#include <gtest/gtest.h>

namespace postern::auth {
namespace {

TEST(Password, HashVerifiesAndIsSalted) {
    auto first = hash_password("correct horse");
    auto second = hash_password("correct horse");
    ASSERT_TRUE(first && second);
    EXPECT_NE(*first, *second);
    EXPECT_EQ(first->rfind("$argon2id$v=19$m=19456,t=2,p=1$", 0), 0u) << *first;
    EXPECT_TRUE(verify_password(*first, "correct horse"));
    EXPECT_FALSE(verify_password(*first, "correct hors"));
    EXPECT_FALSE(verify_password(*first, ""));
}

TEST(Password, ZeroBytesCount) {
    auto hash = hash_password(std::string_view("a\0b", 3));
    ASSERT_TRUE(hash);
    EXPECT_TRUE(verify_password(*hash, std::string_view("a\0b", 3)));
    EXPECT_FALSE(verify_password(*hash, "a"));
}

TEST(Password, LengthIsBounded) {
    EXPECT_EQ(hash_password("").error().code, Errc::invalid);
    EXPECT_TRUE(hash_password(std::string(max_password_bytes - 1, 'x')));
    const std::string longest(max_password_bytes, 'x');
    auto hash = hash_password(longest);
    ASSERT_TRUE(hash);
    EXPECT_TRUE(verify_password(*hash, longest));
    EXPECT_EQ(hash_password(longest + "x").error().code, Errc::invalid);
    EXPECT_FALSE(verify_password(*hash, longest + "x"));
}

TEST(Password, NoHashNoLogin) {
    EXPECT_FALSE(verify_password("", ""));
    EXPECT_FALSE(verify_password("", "x"));
    EXPECT_FALSE(verify_password("plain", "plain"));
    EXPECT_FALSE(verify_password("$argon2id$v=19$m=19456,t=2,p=1$AAAA", "x"));
    EXPECT_FALSE(verify_password("$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAA", "x"));
    EXPECT_FALSE(verify_password(impossible_hash(), ""));
}

}  // namespace
}  // namespace postern::auth

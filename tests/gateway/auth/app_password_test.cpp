#include "gateway/auth/app_password.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::auth {
namespace {

TEST(AppPassword, IsLongAndReadable) {
    const auto made = make_app_password();
    EXPECT_THAT(made, testing::MatchesRegex("[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}-"
                                            "[a-z0-9]{4}"));
    EXPECT_GE(made.size(), min_app_password_bytes);
    EXPECT_NE(made, make_app_password());
}

TEST(AppPassword, HyphensAndCaseDoNotMatter) {
    EXPECT_EQ(app_password_hash("abcd-efgh"), app_password_hash("ABCD EFGH"));
    EXPECT_NE(app_password_hash("abcd-efgh"), app_password_hash("abcd-efgi"));
}

}  // namespace
}  // namespace postern::auth

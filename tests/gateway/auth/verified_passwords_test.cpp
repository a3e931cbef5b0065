#include "gateway/auth/verified_passwords.h"

#include <gtest/gtest.h>

namespace postern::auth {
namespace {

using std::chrono::milliseconds;

TEST(VerifiedPasswords, KnowWhatWasRememberedForThatHashAlone) {
    VerifiedPasswords verified;
    const auto now = VerifiedPasswords::Clock::now();
    EXPECT_FALSE(verified.knows("$hash", "secret", now));
    verified.remember("$hash", "secret", now);
    EXPECT_TRUE(verified.knows("$hash", "secret", now));
    EXPECT_FALSE(verified.knows("$hash", "secret2", now));
    EXPECT_FALSE(verified.knows("$hash", "Secret", now));
    EXPECT_FALSE(verified.knows("$hash", "", now));
    EXPECT_FALSE(verified.knows("$another", "secret", now)) << "the password was changed";
    EXPECT_FALSE(verified.knows("$hashs", "ecret", now)) << "the same bytes, parted elsewhere";
}

TEST(VerifiedPasswords, AreForgottenInTimeEvenWhenUsed) {
    VerifiedPasswords verified;
    const auto now = VerifiedPasswords::Clock::now();
    const auto end = now + VerifiedPasswords::memory;
    verified.remember("$hash", "secret", now);
    EXPECT_TRUE(verified.knows("$hash", "secret", end - milliseconds(1)));
    EXPECT_FALSE(verified.knows("$hash", "secret", end));
    verified.remember("$hash", "secret", end);
    EXPECT_TRUE(verified.knows("$hash", "secret", end));
    EXPECT_EQ(verified.size(), 1u);
}

TEST(VerifiedPasswords, AreBounded) {
    VerifiedPasswords verified;
    const auto now = VerifiedPasswords::Clock::now();
    for (std::size_t i = 0; i + 1 < VerifiedPasswords::max_remembered; ++i) {
        verified.remember("$hash", std::to_string(i), now);
    }
    EXPECT_EQ(verified.size(), VerifiedPasswords::max_remembered - 1);
    verified.remember("$hash", "one more", now);
    EXPECT_EQ(verified.size(), VerifiedPasswords::max_remembered);
    EXPECT_TRUE(verified.knows("$hash", "0", now));
    verified.remember("$hash", "too many", now);
    EXPECT_LE(verified.size(), VerifiedPasswords::max_remembered);
    EXPECT_TRUE(verified.knows("$hash", "too many", now));
}

TEST(VerifiedPasswords, OfAnotherProcessAreNotKnown) {
    VerifiedPasswords one;
    VerifiedPasswords other;
    const auto now = VerifiedPasswords::Clock::now();
    one.remember("$hash", "secret", now);
    EXPECT_FALSE(other.knows("$hash", "secret", now));
}

}  // namespace
}  // namespace postern::auth

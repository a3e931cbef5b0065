#include "gateway/crypto/crypto.h"

#include <gtest/gtest.h>

namespace postern::crypto {
namespace {

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

// FIPS 180-2, RFC 4231 (case 2), RFC 7914 section 11.
TEST(Crypto, KnownAnswers) {
    EXPECT_EQ(hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(pbkdf2_sha256("passwd", "salt", 1)).substr(0, 32),
              "55ac046e56e3089fec1691c22544b605");
}

TEST(Crypto, Comparing) {
    EXPECT_TRUE(equal("abc", "abc"));
    EXPECT_FALSE(equal("abc", "abd"));
    EXPECT_FALSE(equal("abc", "ab"));
    EXPECT_NE(random_bytes(16), random_bytes(16));
}

TEST(Crypto, KeysThatAreNone) {
    EXPECT_EQ(PrivateKey::load("/nonexistent").error().code, Errc::not_found);
    EXPECT_EQ(PrivateKey::load("/etc/passwd").error().code, Errc::invalid);
}

}  // namespace
}  // namespace postern::crypto

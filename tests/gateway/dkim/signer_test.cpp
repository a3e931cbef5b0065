#include "gateway/dkim/signer.h"

#include "tests/gateway/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace postern::dkim {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The key of RFC 8463 appendix A.2, as PKCS #8.
constexpr const char* ed25519_key =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

TEST(DkimSigner, CanonicalForms) {
    // RFC 6376 section 3.4.5.
    EXPECT_EQ(relaxed_field("A", " X"), "a:X");
    EXPECT_EQ(relaxed_field("B ", " Y\t\r\n\tZ  "), "b:Y Z");
    EXPECT_EQ(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
    EXPECT_EQ(relaxed_body(""), "");
    EXPECT_EQ(relaxed_body("\r\n\r\n"), "");
    EXPECT_EQ(relaxed_body("no line end"), "no line end\r\n");
}

class DkimSignerTest : public testing::Test {
protected:
    DkimSignerTest() {
        std::ofstream(file_) << ed25519_key;
        signer_ = *Signer::make({{"Example.org", "s1:" + file_}});
    }
    TemporaryFolder folder_;
    std::string file_ = folder_.path() + "/key";
    std::shared_ptr<const Signer> signer_;
    const Time now_ = from_unix_ms(1'528'637'909'000);
};

TEST_F(DkimSignerTest, SignsForTheDomainOfFrom) {
    const auto field =
        signer_->sign("From: A <a@EXAMPLE.org>\r\nSubject: x\r\n\r\nHi.\r\n", "", now_);
    EXPECT_THAT(field, StartsWith("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; "
                                  "d=example.org;\r\n\ts=s1; t=1528637909;\r\n\t"
                                  "h=from:from:subject;\r\n\tbh="));
    EXPECT_EQ(field.substr(field.size() - 2), "\r\n");
    EXPECT_EQ(signer_->sign("From: a@other.example\r\n\r\n", "", now_), "");
    EXPECT_NE(signer_->sign("From: a@other.example\r\n\r\n", "example.org", now_), "");
    EXPECT_EQ(signer_->sign("", "", now_), "");
}

TEST_F(DkimSignerTest, WhatChangesTheMessageChangesTheSignature) {
    const auto sign = [&](std::string_view message) { return signer_->sign(message, "", now_); };
    const auto original = sign("From: a@example.org\r\nSubject: x\r\n\r\nHi.\r\n");
    EXPECT_EQ(sign("From: a@example.org\r\nSubject:  x \r\nX: y\r\n\r\nHi. \r\n\r\n"), original);
    EXPECT_NE(sign("From: a@example.org\r\nSubject: y\r\n\r\nHi.\r\n"), original);
    EXPECT_NE(sign("From: a@example.org\r\nSubject: x\r\n\r\nHo.\r\n"), original);
}

TEST_F(DkimSignerTest, BadKeysAreRefused) {
    EXPECT_FALSE(Signer::make({{"example.org", "nocolon"}}));
    EXPECT_FALSE(Signer::make({{"example.org", "s:/nonexistent"}}));
    EXPECT_FALSE(Signer::make({{"example.org", ":" + file_}}));
    EXPECT_TRUE(Signer::make({}));
}

}  // namespace
}  // namespace postern::dkim

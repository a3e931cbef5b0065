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

TEST_F(DkimSignerTest, WhatIsSignedIs7BitWhereItCanBe) {
    const std::string text =
        "From: a@example.org\r\nSubject: \xC3\xA4\r\n\r\nein \xC3\xB6 im Text\r\n";
    const auto plain = signer_->signed_message(text, "", now_);
    EXPECT_THAT(plain, StartsWith("DKIM-Signature: "));
    EXPECT_THAT(plain, HasSubstr("\r\nSubject: =?UTF-8?B?w6Q=?=\r\n"));
    EXPECT_THAT(plain, HasSubstr("\r\nein =C3=B6 im Text\r\n"));
    const auto rest = plain.substr(plain.find("From: "));
    EXPECT_EQ(plain, signer_->sign(rest, "", now_) + rest);
    // Without a key for it nothing is changed.
    EXPECT_EQ(Signer().signed_message(text, "", now_), text);
    std::string other = text;
    other.replace(other.find("example.org"), 11, "elsewhere.x");
    EXPECT_EQ(signer_->signed_message(other, "", now_), other);
}

TEST_F(DkimSignerTest, WhatCannotBe7BitIsSignedAsItIs) {
    const std::string body =
        "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xC3\xA4\r\n--b--\r\n";
    const auto half =
        signer_->signed_message("From: a@example.org\r\nSubject: \xC3\xA4\r\n" + body, "", now_);
    EXPECT_THAT(half, StartsWith("DKIM-Signature: "));
    EXPECT_THAT(half, HasSubstr("Subject: =?UTF-8?B?w6Q=?=\r\n" + body));
    const auto whole = signer_->signed_message("From: \xC3\xA4@example.org\r\n" + body, "", now_);
    EXPECT_THAT(whole, StartsWith("DKIM-Signature: "));
    EXPECT_THAT(whole, HasSubstr("From: \xC3\xA4@example.org\r\n" + body));
}

TEST_F(DkimSignerTest, BadKeysAreRefused) {
    EXPECT_FALSE(Signer::make({{"example.org", "nocolon"}}));
    EXPECT_FALSE(Signer::make({{"example.org", "s:/nonexistent"}}));
    EXPECT_FALSE(Signer::make({{"example.org", ":" + file_}}));
    EXPECT_TRUE(Signer::make({}));
}

}  // namespace
}  // namespace postern::dkim

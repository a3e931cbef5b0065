#include "gateway/outbound/mta_sts.h"

#include <gtest/gtest.h>

namespace postern::outbound {
namespace {

using Mode = StsPolicy::Mode;

TEST(StsPolicy, AsTheRfcShowsIt) {
    const auto policy = parse_sts_policy(
        "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.Example.net\r\n"
        "mx: backupmx.example.com\r\nmax_age: 604800\r\n");
    ASSERT_TRUE(policy) << policy.error().text;
    EXPECT_EQ(policy->mode, Mode::enforce);
    EXPECT_EQ(policy->max_age, std::chrono::seconds(604800));
    EXPECT_TRUE(policy->allows("mail.example.com"));
    EXPECT_TRUE(policy->allows("MAIL.example.com"));
    EXPECT_TRUE(policy->allows("mx1.example.net"));
    for (const char* host : {"example.com", "other.example.com", "example.net", "a.b.example.net",
                             ".example.net", "mail.example.com.evil", ""}) {
        EXPECT_FALSE(policy->allows(host)) << host;
    }
}

TEST(StsPolicy, BareLineEndsUnknownKeysAndModes) {
    EXPECT_EQ(
        parse_sts_policy("version: STSv1\nmode: testing\nmx: a\nmax_age: 1\nfuture: x\n")->mode,
        Mode::testing);
    EXPECT_EQ(parse_sts_policy("version:STSv1\nmode:none\nmax_age:1")->mode, Mode::none);
    EXPECT_EQ(parse_sts_policy("version: STSv1\nmode: none\nmax_age: 4000000000\n")->max_age,
              max_sts_age);
    for (const char* text :
         {"", "version: STSv2\nmode: none\nmax_age: 1\n", "mode: none\nmax_age: 1\n",
          "version: STSv1\nmax_age: 1\n", "version: STSv1\nmode: none\n",
          "version: STSv1\nmode: enforce\nmax_age: 1\n", "version: STSv1\nmode: x\nmax_age: 1\n",
          "version: STSv1\nmode: none\nmax_age: -1\n", "version: STSv1\nno colon\nmode: none\n",
          "version: STSv1\nmode: none\nmax_age: 99999999999\n"}) {
        EXPECT_FALSE(parse_sts_policy(text)) << text;
    }
}

TEST(StsPolicy, OfAKeyTheFirstCounts) {
    const auto policy = parse_sts_policy(
        "version: STSv1\nmode: testing\nmode: none\nmax_age: 2\nmax_age: x\nmx: a\nmx: b\n"
        "version: STSv2\n");
    ASSERT_TRUE(policy);
    EXPECT_EQ(policy->mode, Mode::testing);
    EXPECT_EQ(policy->max_age, std::chrono::seconds(2));
    EXPECT_EQ(policy->patterns.size(), 2u);
}

TEST(StsPolicy, Bounds) {
    std::string text = "version: STSv1\nmode: enforce\nmax_age: 1\n";
    for (std::size_t i = 0; i < max_sts_patterns; ++i) text += "mx: a\n";
    EXPECT_TRUE(parse_sts_policy(text));
    EXPECT_FALSE(parse_sts_policy(text + "mx: a\n"));
    std::string padded = "version: STSv1\nmode: none\nmax_age: 1\n";
    padded.append(max_sts_policy_bytes - padded.size(), ' ');
    EXPECT_TRUE(parse_sts_policy(padded));
    EXPECT_FALSE(parse_sts_policy(padded + " "));
}

TEST(StsId, OneRecordAndNoMore) {
    EXPECT_EQ(sts_id({"v=STSv1; id=20160831085700Z;"}), "20160831085700Z");
    EXPECT_EQ(sts_id({"v=spf1 -all", "v=STSv1;id=a"}), "a");
    EXPECT_FALSE(sts_id({}));
    EXPECT_FALSE(sts_id({"v=STSv1;"}));
    EXPECT_FALSE(sts_id({"v=STSv12; id=a"}));
    EXPECT_FALSE(sts_id({"v=STSv1; id=a", "v=STSv1; id=b"}));
}

}  // namespace
}  // namespace postern::outbound

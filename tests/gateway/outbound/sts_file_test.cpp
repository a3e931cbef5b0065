#include "gateway/outbound/sts_file.h"

#include "tests/gateway/temporary_folder.h"

#include <gtest/gtest.h>

#include <sstream>

namespace postern::outbound {
namespace {

using Mode = StsPolicy::Mode;
constexpr std::int64_t day_ms = 86'400'000;
const Time now = from_unix_ms(20'000 * day_ms);

StsKnown known(std::string id, Time until, Mode mode = Mode::enforce) {
    StsPolicy policy;
    policy.mode = mode;
    policy.patterns = {"mx.example.com", "*.example.net"};
    return {std::move(id), std::make_shared<const StsPolicy>(policy), until};
}

Time in_days(int days) {
    return now + std::chrono::hours(24 * days);
}

std::string text_of(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
}

struct StsFileTest : ::testing::Test {
    TemporaryFolder folder;
    const std::string path = folder.path("mta-sts");
    StsKnownMap all;

    void add(StsFile& file, const std::string& domain, StsKnown each) {
        all[domain] = each;
        const auto added = file.add(domain, each, all);
        ASSERT_TRUE(added) << added.error().text;
    }
};

TEST_F(StsFileTest, WhatIsAddedIsThereAfterARestart) {
    StsFile file(path);
    EXPECT_TRUE(file.load(now)->empty());
    add(file, "a.example", known("1", in_days(1)));
    add(file, "b.example", known("x", in_days(9), Mode::testing));
    add(file, "a.example", known("2", in_days(2), Mode::none));
    const auto loaded = StsFile(path).load(now);
    ASSERT_EQ(loaded->size(), 2u);
    const auto& a = loaded->at("a.example");
    EXPECT_EQ(a.id, "2");
    EXPECT_EQ(a.until, in_days(2));
    EXPECT_EQ(a.policy->mode, Mode::none);
    EXPECT_EQ(a.policy->max_age, std::chrono::hours(48)) << "of what is left";
    EXPECT_EQ(loaded->at("b.example").policy->mode, Mode::testing);
    EXPECT_TRUE(loaded->at("b.example").policy->allows("mx.example.com"));
    EXPECT_EQ(StsFile(path).load(in_days(2))->size(), 1u) << "until its time is over";
}

TEST_F(StsFileTest, LinesThatCannotBeReadAreSkipped) {
    const std::string good = R"({"domain":"a.example","id":"1","until_ms":1728086400000,)"
                             R"("mode":"enforce","mx":["mx.a.example"]})";
    std::string text = good + "\n\n[]\nnull\n{\"domain\":7}\n";
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"a.example\"", "\""},
             {"a.example\"", std::string(256, 'a') + "\""},
             {"\"1\"", "\"\""},
             {"1728086400000", "\"x\""},
             {"enforce", "other"},
             {"[\"mx.a.example\"]", "[7]"},
             {"[\"mx.a.example\"]", "[]"},
             {"[\"mx.a.example\"]", "\"x\""}}) {
        std::string bad = good;
        bad.replace(bad.find(from), from.size(), to);
        text += bad + "\n";
    }
    text += good.substr(0, good.size() / 2);  // a write that was cut
    folder.write("mta-sts", text);
    const auto loaded = StsFile(path).load(now);
    ASSERT_EQ(loaded->size(), 1u);
    EXPECT_EQ(loaded->begin()->first, "a.example");
    EXPECT_EQ(StsFile(path).load(now)->size(), 1u);
    EXPECT_EQ(text_of(path).find("other"), std::string::npos) << "rewritten without them";
}

TEST_F(StsFileTest, AnAgeThatNoPolicyHasIsCut) {
    StsFile file(path);
    add(file, "a.example", known("1", now + 2 * max_sts_age));
    EXPECT_EQ(StsFile(path).load(now)->at("a.example").until, now + max_sts_age);
}

TEST_F(StsFileTest, TheFileIsRewrittenWhenItHasGrown) {
    StsFile file(path);
    for (int i = 0; i < 2000; ++i) add(file, "a.example", known(std::to_string(i), in_days(1)));
    EXPECT_LT(text_of(path).size(), 130u * 1024);
    EXPECT_EQ(StsFile(path).load(now)->at("a.example").id, "1999");
}

TEST_F(StsFileTest, ItsSizeIsBounded) {
    StsFile probe(path);
    add(probe, "a.example", known("1", in_days(1)));
    const auto one = text_of(path).size();
    std::filesystem::remove(path);
    for (const std::size_t limit : {2 * one - 1, 2 * one, 2 * one + 1}) {
        all.clear();
        StsFile file(path, limit);
        EXPECT_TRUE(file.load(now)->empty());
        add(file, "a.example", known("1", in_days(1)));
        add(file, "b.example", known("1", in_days(1)));
        EXPECT_EQ(StsFile(path).load(now)->size(), limit < 2 * one ? 1u : 2u) << limit;
        EXPECT_LE(text_of(path).size(), limit);
        std::filesystem::remove(path);
    }
}

TEST_F(StsFileTest, AFolderThatIsNotThere) {
    StsFile file(folder.path("missing/mta-sts"));
    EXPECT_TRUE(file.load(now)->empty());
    EXPECT_FALSE(file.add("a.example", known("1", in_days(1)), {}));
}

}  // namespace
}  // namespace postern::outbound

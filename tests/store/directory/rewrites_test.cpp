#include "store/directory/rewrites.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::directory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
constexpr auto recipient = RewriteOf::recipient;
constexpr auto sender = RewriteOf::sender;

class RewritesTest : public testing::Test {
protected:
    std::string apply(std::string_view address, RewriteOf of = recipient) {
        const auto done = rewrites_.apply(of, address);
        return done ? done->address : done.error().text;
    }
    void add(std::string_view from, std::string_view to, RewriteOf of = recipient) {
        const auto added = rewrites_.add(of, from, to);
        EXPECT_TRUE(added) << added.error().text;
    }
    Errc refused(std::string_view from, std::string_view to, RewriteOf of = recipient) {
        const auto added = rewrites_.add(of, from, to);
        return added ? Errc::internal : added.error().code;
    }

    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    Rewrites rewrites_{*store_};
};

TEST_F(RewritesTest, AddressThenDomainThenPattern) {
    add("*@old.example", "pattern@example.org");
    add("@Old.Example", "@example.org");
    add("Ann@old.example", "bob@example.com");
    EXPECT_EQ(apply("ANN@old.example"), "bob@example.com");
    EXPECT_EQ(apply("Carl@OLD.example"), "Carl@example.org") << "the name as it was written";
    EXPECT_EQ(apply("carl@sub.old.example"), "carl@sub.old.example");
    EXPECT_EQ(apply("carl@old.example", sender), "carl@old.example");
    EXPECT_TRUE(rewrites_.remove(recipient, "@OLD.example"));
    EXPECT_EQ(apply("carl@old.example"), "pattern@example.org");
    for (const char* other : {"", "@", "ann", "\"a b\"@old.example", "@old.example", "a@b@"}) {
        EXPECT_EQ(apply(other), other);
    }
}

TEST_F(RewritesTest, PatternsWithTheMostLettersFirst) {
    add("*@*.lan.example", "$1@example.org");
    add("*-info@*.lan.example", "info-$1@$2.example.org");
    EXPECT_EQ(apply("ann@x.lan.example"), "ann@example.org");
    EXPECT_EQ(apply("Sales-Info@a.b.lan.example"), "info-sales@a.b.example.org");
    EXPECT_EQ(apply("ann@lan.example"), "ann@lan.example");
}

TEST(RewritePattern, WhatFits) {
    const auto made = [](std::string_view pattern, std::string_view address) {
        return rewrite_by_pattern(pattern, "$1|$2|$3", address).value_or("no");
    };
    EXPECT_EQ(made("a*c@x", "abc@x"), "b|$2|$3");
    EXPECT_EQ(made("a*c@x", "ac@x"), "|$2|$3");
    EXPECT_EQ(made("a*c@x", "ab@x"), "no");
    EXPECT_EQ(made("a*a@x", "a@x"), "no");
    EXPECT_EQ(made("*-*@*.x", "a-b-c@d.e.x"), "a|b-c|d.e");
    EXPECT_EQ(made("*@x", "a@y"), "no");
    EXPECT_EQ(made("*", "a@y"), "no");
    EXPECT_EQ(made("*ab*ab@x", "ababab@x"), "|ab|$3");
    EXPECT_EQ(made("*ab*ab@x", "aab@x"), "no");
}

TEST_F(RewritesTest, RulesFollowEachOther) {
    add("@a.example", "@b.example");
    add("@b.example", "@c.example");
    const auto done = rewrites_.apply(recipient, "ann@a.example");
    EXPECT_THAT(done->steps, ElementsAre("ann@b.example", "ann@c.example"));
    EXPECT_FALSE(done->circle);
    EXPECT_THAT(rewrites_.apply(recipient, "ann@c.example")->steps, IsEmpty());
}

TEST_F(RewritesTest, ARuleToItselfIsAnException) {
    add("@a.example", "@b.example");
    add("ann@a.example", "ann@a.example");
    EXPECT_EQ(apply("ann@a.example"), "ann@a.example");
    EXPECT_EQ(apply("bob@a.example"), "bob@b.example");
}

TEST_F(RewritesTest, CirclesAreRefused) {
    add("@a.example", "@b.example");
    const auto circle = rewrites_.add(recipient, "@b.example", "@a.example");
    EXPECT_EQ(circle.error().code, Errc::conflict);
    EXPECT_THAT(circle.error().text, HasSubstr("x@b.example -> x@a.example"));
    EXPECT_EQ(refused("x*@b.example", "x$1@a.example"), Errc::conflict);
    add("@b.example", "@a.example", sender);
    EXPECT_EQ(refused("*@a.example", "x$1@b.example", sender), Errc::conflict) << "ever longer";
    // Each harmless alone; the new one closes what an older one begins.
    add("ann@c.example", "ann@d.example");
    EXPECT_EQ(refused("@d.example", "@c.example"), Errc::conflict);
    EXPECT_THAT(rewrites_.list()->size(), 3u);
}

TEST_F(RewritesTest, BadRules) {
    for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
             {"ann", "bob@b.example"},        {"ann@a.example", "bob"},
             {"@a.example", "bob@b.example"}, {"ann@a.example", "@b.example"},
             {"@", "@b.example"},             {"*@a.example", "@b.example"},
             {"@*.a.example", "x@b.example"}, {"**@a.example", "x@b.example"},
             {"*@a.example", "$2@b.example"}, {"*@a.example", "$0@b.example"},
             {"*@a.example", "*@b.example"},  {"*@a example", "x@b.example"}}) {
        EXPECT_EQ(refused(from, to), Errc::invalid) << from << " " << to;
    }
    add("ann@a.example", "bob@b.example");
    EXPECT_EQ(refused("Ann@a.example", "carl@b.example"), Errc::exists);
    EXPECT_EQ(rewrites_.remove(recipient, "bob@a.example").error().code, Errc::not_found);
    EXPECT_EQ(rewrites_.remove(sender, "ann@a.example").error().code, Errc::not_found);
}

TEST_F(RewritesTest, Wildcards) {
    for (const std::size_t count : {max_rewrite_wildcards - 1, max_rewrite_wildcards}) {
        std::string from;
        for (std::size_t i = 0; i < count; ++i) from += "*a";
        add(from + "@a.example", "x@b.example");
    }
    EXPECT_EQ(refused("*a*a*a*a*@a.example", "x@b.example"), Errc::limit);
}

TEST_F(RewritesTest, NoMorePatternsThanTheLimit) {
    for (std::size_t i = 0; i < max_rewrite_patterns; ++i) {
        add("*." + std::to_string(i) + "@a.example", "x@b.example");
    }
    EXPECT_EQ(refused("*.last@a.example", "x@b.example"), Errc::limit);
    add("*.last@a.example", "x@b.example", sender);
    add("ann@a.example", "x@b.example");
}

TEST_F(RewritesTest, NoMoreStepsThanTheLimit) {
    for (std::size_t i = 0; i < max_rewrite_steps; ++i) {
        add("@d" + std::to_string(i), "@d" + std::to_string(i + 1));
    }
    const auto done = rewrites_.apply(recipient, "ann@d0");
    EXPECT_EQ(done->steps.size(), max_rewrite_steps);
    EXPECT_FALSE(done->circle);
    EXPECT_EQ(refused("@before", "@d0"), Errc::conflict);
}

TEST_F(RewritesTest, ListedAsTheyAreTried) {
    add("*@a.example", "x@b.example");
    add("@a.example", "@b.example");
    add("zoe@a.example", "y@b.example");
    add("@a.example", "@c.example", sender);
    std::vector<std::string> rows;
    const auto all = rewrites_.list();
    for (const auto& rule : *all) {
        rows.push_back((rule.of == sender ? "sender " : "") + rule.from + " " + rule.to);
    }
    EXPECT_THAT(rows, ElementsAre("zoe@a.example y@b.example", "@a.example @b.example",
                                  "*@a.example x@b.example", "sender @a.example @c.example"));
}

}  // namespace
}  // namespace postern::directory

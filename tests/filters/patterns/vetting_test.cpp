#include "filters/patterns/vetting.h"

#include <limits>

namespace postern::filters {
namespace {

Rule rule(std::string pattern, std::string target = "body") {
    Rule made;
    made.name = "R";
    made.target = std::move(target);
    made.pattern = std::move(pattern);
    return made;
}

std::string reason(const Rule& each) {
    const auto result = check_rule(each);
    return result ? "" : result.error().text;
}

TEST(ParseTarget, KnownOnes) {
    EXPECT_EQ(parse_target("body")->target, Target::body);
    EXPECT_EQ(parse_target("raw")->target, Target::raw);
    EXPECT_EQ(parse_target("url")->target, Target::url);
    EXPECT_EQ(parse_target("header:*")->target, Target::all_headers);
    EXPECT_EQ(parse_target("header:Reply-To")->target, Target::header);
    EXPECT_EQ(parse_target("header:Reply-To")->name, "reply-to");
    EXPECT_EQ(parse_target("header:From")->form, Form::value);
    EXPECT_EQ(parse_target("header:From:raw")->form, Form::raw);
    EXPECT_EQ(parse_target("header:From:addr")->form, Form::address);
    EXPECT_EQ(parse_target("header:From:name")->form, Form::name);
    EXPECT_EQ(parse_target("head")->target, Target::head);
    EXPECT_EQ(parse_target("source")->target, Target::source);
    EXPECT_EQ(parse_target("part:Content-Type")->target, Target::part);
    for (const char* fact : {"envelope:from", "envelope:to", "envelope:helo", "envelope:client"}) {
        EXPECT_EQ(parse_target(fact)->target, Target::envelope) << fact;
    }
}

TEST(ParseTarget, OthersAreRefused) {
    for (const char* text :
         {"", "Body", "header", "header:", "header:a b", "header:X:", "header:X*", "subject",
          "header:\xC3\xA4", "header:From:addr:raw", "header:From:ADDR", "part:A:raw",
          "part:", "envelope:", "envelope:size", "envelope:from:raw", "header:*:raw"}) {
        ASSERT_FALSE(parse_target(text).has_value()) << text;
        EXPECT_EQ(parse_target(text).error().code, Errc::invalid);
    }
}

TEST(CheckRule, NameLimits) {
    Rule each = rule("x");
    for (const char* bad : {"", "lower", "A B", "A-B", "\xC3\x84"}) {
        each.name = bad;
        EXPECT_NE(reason(each), "") << bad;
    }
    for (std::size_t length : {max_rule_name_bytes - 1, max_rule_name_bytes}) {
        each.name = std::string(length, 'A');
        EXPECT_EQ(reason(each), "");
    }
    each.name = std::string(max_rule_name_bytes + 1, 'A');
    EXPECT_NE(reason(each), "");
}

TEST(CheckRule, ScoreLimits) {
    Rule each = rule("x");
    for (double good : {-100.0, 0.0, 99.99, 100.0}) {
        each.score = good;
        EXPECT_EQ(reason(each), "");
    }
    for (double bad : {-100.01, 100.01, std::numeric_limits<double>::quiet_NaN(),
                       std::numeric_limits<double>::infinity()}) {
        each.score = bad;
        EXPECT_NE(reason(each), "");
    }
}

TEST(CheckRule, PatternLimits) {
    EXPECT_NE(reason(rule("")), "");
    EXPECT_NE(reason(rule(std::string("a\0b", 3))), "");
    // In brackets it is one state, whatever its length.
    const auto of_length = [](std::size_t length) {
        return '[' + std::string(length - 2, 'a') + ']';
    };
    EXPECT_EQ(reason(rule(of_length(max_pattern_bytes - 1))), "");
    EXPECT_EQ(reason(rule(of_length(max_pattern_bytes))), "");
    EXPECT_NE(reason(rule(of_length(max_pattern_bytes + 1))), "");
}

TEST(CheckRule, UnboundedRepeatOfAnythingIsRefusedInLongText) {
    for (const char* pattern : {"a.*b", "a.+b", "a.{3,}b", "a[^x]*b", "a[^]x]+b", "\\S+@", "\\D*",
                                "[\\W_]+", "(ab)+", "(a(b|c)*d)", "x(?:a|b)*?y", "\\d+.*"}) {
        EXPECT_THAT(reason(rule(pattern)), testing::HasSubstr("unbounded repeat")) << pattern;
        EXPECT_NE(reason(rule(pattern, "raw")), "") << pattern;
        EXPECT_EQ(reason(rule(pattern, "header:Subject")), "") << pattern;
        EXPECT_EQ(reason(rule(pattern, "url")), "") << pattern;
    }
}

TEST(CheckRule, TheReasonShowsHowToWriteIt) {
    EXPECT_EQ(reason(rule("free .*money")),
              "the pattern has an unbounded repeat of \".\"; write a bound, as in .{0,200}");
    EXPECT_THAT(reason(rule("x(ab|cd)+")), testing::HasSubstr("as in (ab|cd){0,200}"));
}

TEST(CheckRule, BoundedAndNarrowRepeatsAreFine) {
    for (const char* pattern :
         {"a.{0,200}b", "click\\s+here", "\\d+", "[a-z]*x", "\\.*x", "\\\\*x", "a{2,}", "[.*]x",
          "[a-z[:^alpha:]]x", "a.?b", "\\Qa.*\\E", "x{y", "{3}", "a{,3}"}) {
        EXPECT_EQ(reason(rule(pattern)), "") << pattern;
    }
}

TEST(CheckRule, RepeatLimits) {
    EXPECT_EQ(reason(rule("a{0,999}b")), "");
    EXPECT_EQ(reason(rule("a{0,1000}b")), "");
    EXPECT_NE(reason(rule("a{0,1001}b")), "");
    EXPECT_NE(reason(rule("a{1001}b")), "");
    EXPECT_NE(reason(rule("a{99999999999999999999999}b")), "");
    EXPECT_EQ(reason(rule("a.{0,1000}b.{0,1000}c.{0,1000}d.{0,1000}e")), "");
    EXPECT_NE(reason(rule("a.{0,1000}b.{0,1000}c.{0,1000}d.{0,1000}e.{0,1}")), "");
}

TEST(CheckRule, StateLimit) {
    EXPECT_EQ(count_states("abc"), 3u);
    EXPECT_EQ(count_states("a[bc]{2,5}\\d?"), 7u);
    EXPECT_EQ(count_states("(ab|c){10}"), 30u);
    EXPECT_EQ(count_states("((a{3}){4}){5}x"), 61u);
    EXPECT_EQ(count_states(".{0,1000}"), cheap_repeat);
    EXPECT_EQ(reason(rule("(?:" + std::string(max_pattern_states / 10, 'a') + "){10}")), "");
    const std::string over = "(?:" + std::string(max_pattern_states / 10, 'a') + "){10}b";
    EXPECT_THAT(reason(rule(over)), testing::HasSubstr("too large"));
    EXPECT_GT(count_states("((((((a{900}){900}){900}){900}){900}){900})"), max_pattern_states);
}

TEST(CheckRule, MetaRulesAndTheirParts) {
    Rule meta;
    meta.name = "M";
    meta.meta = "A && B";
    EXPECT_EQ(reason(meta), "");
    meta.pattern = "x";
    EXPECT_NE(reason(meta), "");
    Rule part = rule("x");
    part.name = "__PART";
    EXPECT_EQ(reason(part), "");
    part.score = 1;
    EXPECT_NE(reason(part), "");
}

TEST(CheckRule, CountedHitsLimits) {
    Rule each = rule("x");
    for (const std::uint32_t good : {1u, 2u, max_counted_hits - 1, max_counted_hits}) {
        each.max_hits = good;
        EXPECT_EQ(reason(each), "");
    }
    for (const std::uint32_t bad : {0u, max_counted_hits + 1}) {
        each.max_hits = bad;
        EXPECT_NE(reason(each), "");
    }
}

TEST(BoundRepeats, OnlyWhereABoundIsMissing) {
    EXPECT_EQ(bound_repeats("a.*b", Target::body), "a.{0,200}b");
    EXPECT_EQ(bound_repeats("(ab)+?c", Target::raw), "(ab){1,21}?c");
    EXPECT_EQ(bound_repeats("[^x]{7,}", Target::source), "[^x]{7,207}");
    EXPECT_EQ(bound_repeats("a.*b", Target::header), "a.*b");
    EXPECT_EQ(bound_repeats("\\s+[a-z]*.{0,9}", Target::body), "\\s+[a-z]*.{0,9}");
}

TEST(CheckRule, BrokenSyntaxDoesNotHurtTheReader) {
    for (const char* pattern : {"(", ")", "[", "[^", "\\", "(((", ")))+", "[\\", "\\Q", "{", "a{1,",
                                "[[:", "*", "+?", "]"}) {
        reason(rule(pattern));
        reason(rule(pattern, "header:X"));
        bound_repeats(pattern, Target::body);
    }
}

}  // namespace
}  // namespace postern::filters

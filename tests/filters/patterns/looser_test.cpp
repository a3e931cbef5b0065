#include "filters/patterns/looser.h"

#include "filters/patterns/matcher.h"

#include <gtest/gtest.h>

namespace postern::filters {
namespace {

std::string_view of_url(std::string_view pattern) {
    return looser(pattern, Target::url);
}

TEST(Looser, LeavesOutTheScheme) {
    EXPECT_EQ(of_url("^https?://[^/]{1,60}pills[^/]{0,30}/"), "[^/]{1,60}pills[^/]{0,30}/");
    EXPECT_EQ(of_url("^http://pills"), "pills");
    EXPECT_EQ(of_url("https://(?:a|b)[]|)]pills"), "(?:a|b)[]|)]pills");
    EXPECT_EQ(of_url("^https?:\\/\\/x\\.pil"), "x\\.pil");
}

TEST(Looser, OfAChoiceEachMustHaveALiteral) {
    EXPECT_EQ(of_url("^https?://(bit\\.ly|tinyurl\\.com)/"), "(bit\\.ly|tinyurl\\.com)/");
    EXPECT_EQ(of_url("^https?://(?:a(?:bcde|fghi)|jklm)+"), "(?:a(?:bcde|fghi)|jklm)+");
    for (const std::string_view pattern :
         {"^http://(?:abcd|x)", "^http://(?:abcd|)", "^http://(abcd|efgh)?", "^http://(?i:abcd)",
          "^http://(?:abcd|(?:efgh|x))", "^http://(?:abcd|efgh"}) {
        EXPECT_EQ(of_url(pattern), pattern);
    }
    const auto nested = [](std::size_t depth) {
        return "http://" + std::string(depth, '(') + "abcd" + std::string(depth, ')');
    };
    EXPECT_EQ(of_url(nested(19)).size(), nested(19).size() - 7);
    EXPECT_EQ(of_url(nested(20)).size(), nested(20).size() - 7);
    EXPECT_EQ(of_url(nested(21)), nested(21));
}

TEST(Looser, OfAddressesAlone) {
    EXPECT_EQ(looser("^https?://pills", Target::body), "^https?://pills");
}

TEST(Looser, NotWithoutALiteralOfThatLength) {
    EXPECT_EQ(of_url("^http://abc"), "^http://abc");
    EXPECT_EQ(of_url("^http://abcd"), "abcd");
    EXPECT_EQ(of_url("^http://abcde"), "abcde");
    EXPECT_EQ(of_url("^http://.*\\d{4,9}/"), "^http://.*\\d{4,9}/");
    for (const std::string_view pattern :
         {"^http://abcd?", "^http://abcd*", "^http://abcd{0,2}", "^http://(?:abcd)?", "^http://",
          "^http://[abcd]", "^http://ab.cd", "^http://x{0,1000}"}) {
        EXPECT_EQ(of_url(pattern), pattern);
    }
}

TEST(Looser, NotWhereThePartsAreNotOneAfterTheOther) {
    for (const std::string_view pattern :
         {"^http://abcd|x", "^http://abcd{|}", "^http://?abcd", "^http://*abcd", "^http://{2}abcd",
          "^http://+abcd", "^https*://abcd", "^http://\\Qabcd|\\E", "^http://\\c(abcd|x",
          "^http://[abcd", "^http://(abcd", "^http://abcd)", "^http://[[:alpha:]|abcd",
          "^http://abcd\\", "x|^http://abcd", "(?:^http://abcd)"}) {
        EXPECT_EQ(of_url(pattern), pattern) << pattern;
    }
}

// Two rules that must agree: of the second nothing can be left out.
TEST(Looser, FiresWhereThePatternItselfDoes) {
    struct Case {
        std::string_view pattern;
        std::string_view text;
        std::string_view evidence;  // empty: no match
    };
    constexpr Case cases[] = {
        {"^https?://[^/]{1,9}pills[^/]{0,9}/", "http://x.pills.example/a",
         "http://x.pills.example/"},
        {"^https?://[^/]{1,9}pills[^/]{0,9}/", "http://x.example/a/pills/", ""},
        {"^https?://[^/]{1,9}pills[^/]{0,9}/", "ftp://x.pills.example/a", ""},
        {"^https?://[^/]{1,9}pills[^/]{0,9}/", "http://y/http://x.pills/", ""},
        {"https?://pills/\\w+", "http://y/?http://pills/abc", "http://pills/abc"},
        {"^http://pills", "https://pills", ""},
        {"^http://pills", "HTTP://PILLS", ""},
        {"^http://\\bpills\\b", "http://pills", "http://pills"},
    };
    for (const Case& each : cases) {
        Rule usual;
        usual.name = "A";
        usual.target = "url";
        usual.pattern = each.pattern;
        Rule whole = usual;
        whole.name = "B";
        whole.pattern = "(?:" + usual.pattern + ")";
        const auto matcher = make_matcher({usual, whole});
        ASSERT_TRUE(matcher.has_value()) << matcher.error().text;
        const auto hits = (*matcher)->match(
            {{Target::url, "", "http://first.example/"}, {Target::url, "", each.text}});
        ASSERT_EQ(hits.size(), each.evidence.empty() ? 0u : 2u) << each.pattern << " " << each.text;
        for (const PatternHit& hit : hits) EXPECT_EQ(hit.evidence, each.evidence);
    }
}

TEST(Looser, ANegatedRuleFiresWhereOnlyTheLooserPatternMatches) {
    Rule rule;
    rule.name = "A";
    rule.target = "url";
    rule.pattern = "^http://pills";
    rule.negated = true;
    const auto matcher = make_matcher({rule});
    ASSERT_TRUE(matcher.has_value());
    EXPECT_EQ((*matcher)->match({{Target::url, "", "ftp://pills"}}).size(), 1u);
    EXPECT_EQ((*matcher)->match({{Target::url, "", "http://pills"}}).size(), 0u);
}

TEST(Looser, ErrorsSpeakOfTheRulesOwnPattern) {
    const auto refused = [](std::string pattern) {
        Rule rule;
        rule.name = "A";
        rule.target = "url";
        rule.pattern = std::move(pattern);
        const auto matcher = make_matcher({rule});
        return matcher ? std::string() : matcher.error().text;
    };
    const std::string error = refused("^http://pills(?<=x)");
    EXPECT_NE(error, "");
    EXPECT_EQ(error, refused("^http://pills(?<=x)|xyzxyz"));
}

}  // namespace
}  // namespace postern::filters

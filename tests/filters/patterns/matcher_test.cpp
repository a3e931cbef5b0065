#include "filters/patterns/matcher.h"

#include "filters/evidence.h"

#include <thread>

namespace postern::filters {
namespace {

Rule rule(std::string name, std::string target, std::string pattern, bool negated = false) {
    Rule made;
    made.name = std::move(name);
    made.target = std::move(target);
    made.pattern = std::move(pattern);
    made.negated = negated;
    return made;
}

std::vector<std::string> hits(const std::vector<Rule>& rules,
                              const std::vector<Subject>& subjects) {
    const auto matcher = make_matcher(rules);
    if (!matcher) return {matcher.error().text};
    std::vector<std::string> found;
    for (const PatternHit& hit : (*matcher)->match(subjects)) {
        found.push_back(rules[hit.rule].name + "=" + hit.evidence);
    }
    return found;
}

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Matcher, NoRulesNoHits) {
    EXPECT_THAT(hits({}, {{Target::body, "", "x"}}), IsEmpty());
}

TEST(Matcher, EachTargetSeesItsOwnSubjects) {
    const std::vector<Rule> rules = {rule("S", "header:Subject", "pill"),
                                     rule("F", "header:From", "pill"),
                                     rule("H", "header:*", "pill"),
                                     rule("B", "body", "pill"),
                                     rule("R", "raw", "pill"),
                                     rule("U", "url", "pill")};
    EXPECT_THAT(hits(rules, {{Target::header, "SUBJECT", "pill"}}), ElementsAre("S=pill"));
    EXPECT_THAT(hits(rules, {{Target::header, "from", "pill"}}), ElementsAre("F=pill"));
    EXPECT_THAT(hits(rules, {{Target::header, "To", "pill"}}), IsEmpty());
    EXPECT_THAT(hits(rules, {{Target::all_headers, "", "pill"}}), ElementsAre("H=pill"));
    EXPECT_THAT(hits(rules, {{Target::body, "", "pill"}}), ElementsAre("B=pill"));
    EXPECT_THAT(hits(rules, {{Target::raw, "", "pill"}}), ElementsAre("R=pill"));
    EXPECT_THAT(hits(rules, {{Target::url, "", "pill"}}), ElementsAre("U=pill"));
}

TEST(Matcher, ARuleFiresOnceAndOnTheFirstSubjectThatHasIt) {
    EXPECT_THAT(hits({rule("U", "url", "[bc]")},
                     {{Target::url, "", "a"}, {Target::url, "", "b"}, {Target::url, "", "c"}}),
                ElementsAre("U=b"));
}

TEST(Matcher, EvidenceIsTheWholeMatch) {
    EXPECT_THAT(
        hits({rule("B", "body", "buy\\s+now.{0,10}")}, {{Target::body, "", "so buy \n now! ok"}}),
        ElementsAre("B=buy now! ok"));
    EXPECT_THAT(hits({rule("B", "body", "\\d+")}, {{Target::body, "", "call 5550 or 7"}}),
                ElementsAre("B=5550"));
}

TEST(Matcher, WhatIsPreparedFindsTheSame) {
    const std::vector<Rule> rules = {
        rule("LONG", "body", "needle[a-z ]{1,20}here"), rule("SHORT", "body", "needle"),
        rule("NO", "body", "needle here", true), rule("U", "url", "^http://pills")};
    const auto matcher = make_matcher(rules);
    ASSERT_TRUE(matcher.has_value());
    const std::vector<Subject> subjects = {{Target::body, "", "a needle is here"},
                                           {Target::url, "", "http://pills/"}};
    const auto evidence = [&] {
        std::vector<std::string> all;
        for (const PatternHit& hit : (*matcher)->match(subjects)) all.push_back(hit.evidence);
        return all;
    };
    int asked = 0;
    (*matcher)->prepare([&] { return ++asked < 2; });
    EXPECT_EQ(asked, 2);
    EXPECT_THAT(evidence(), ElementsAre("needle is here", "needle", "", "http://pills"));
    asked = 0;
    (*matcher)->prepare([&] { return ++asked > 0; });
    EXPECT_EQ(asked, 3);  // of a negated rule there is no evidence
    EXPECT_THAT(evidence(), ElementsAre("needle is here", "needle", "", "http://pills"));
}

TEST(Matcher, EvidenceFarInsideALongText) {
    const std::string text = std::string(5000, 'x') + "\nneedle here\n" + std::string(5000, 'x');
    EXPECT_THAT(hits({rule("B", "body", "^needle h?")}, {{Target::body, "", text}}),
                ElementsAre("B=needle h"));
}

TEST(Matcher, EvidenceOfALongMatchIsCut) {
    const std::string text(1000, 'a');
    const auto matcher = make_matcher({rule("B", "body", "a{900}")});
    ASSERT_TRUE(matcher.has_value());
    const auto found = (*matcher)->match({{Target::body, "", text}});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_GE(found[0].evidence.size(), 30u);
    EXPECT_LE(found[0].evidence.size(), max_evidence_bytes);
}

TEST(Matcher, EvidenceIsPrintable) {
    EXPECT_THAT(hits({rule("B", "body", "a.b")}, {{Target::body, "",
                                                   "a\xFF"
                                                   "b"}}),
                ElementsAre("B=a\xEF\xBF\xBD"
                            "b"));
}

TEST(Matcher, Caseless) {
    Rule each = rule("B", "body", "Pill");
    EXPECT_THAT(hits({each}, {{Target::body, "", "PILL"}}), IsEmpty());
    each.caseless = true;
    EXPECT_THAT(hits({each}, {{Target::body, "", "PILL"}}), ElementsAre("B=PILL"));
}

TEST(Matcher, NegatedFiresWhereNothingMatches) {
    const std::vector<Rule> rules = {rule("N", "header:To", "@", true)};
    EXPECT_THAT(hits(rules, {{Target::header, "To", "a@b"}}), IsEmpty());
    EXPECT_THAT(hits(rules, {{Target::header, "To", "nobody"}}), ElementsAre("N="));
    EXPECT_THAT(hits(rules, {{Target::header, "From", "a@b"}}), ElementsAre("N="));
    EXPECT_THAT(hits(rules, {}), ElementsAre("N="));
}

TEST(Matcher, LineAnchorsInBodyButNotInHeaders) {
    EXPECT_THAT(hits({rule("B", "body", "^b$")}, {{Target::body, "", "a\nb\nc"}}),
                ElementsAre("B=b"));
    EXPECT_THAT(hits({rule("S", "header:Subject", "^b")}, {{Target::header, "Subject", "a\nb"}}),
                IsEmpty());
}

TEST(Matcher, EmptyAndNullTexts) {
    EXPECT_THAT(hits({rule("B", "body", "x")}, {{Target::body, "", ""}, {}}), IsEmpty());
}

TEST(Matcher, AnEmptyFieldCanBeFound) {
    const std::vector<Rule> rules = {rule("S", "header:Subject", "^$")};
    EXPECT_THAT(hits(rules, {{Target::header, "Subject", ""}}), ElementsAre("S="));
    EXPECT_THAT(hits(rules, {{Target::header, "Subject", "a"}}), IsEmpty());
    EXPECT_THAT(hits(rules, {}), IsEmpty());
}

TEST(Matcher, WhatHyperscanRefusesIsNamedWithItsRule) {
    EXPECT_THAT(hits({rule("OK", "body", "x"), rule("BACKREF", "body", "(a)\\1")}, {}),
                ElementsAre(HasSubstr("rule BACKREF: ")));
    EXPECT_THAT(hits({rule("OK", "body", "x"), rule("LOOK", "body", "a(?=b)")}, {}),
                ElementsAre(HasSubstr("rule LOOK: ")));
    EXPECT_THAT(hits({rule("OPEN", "body", "(a")}, {}), ElementsAre(HasSubstr("rule OPEN: ")));
    EXPECT_THAT(hits({rule("EMPTY", "header:Subject", "a*")}, {}),
                ElementsAre(HasSubstr("rule EMPTY: ")));
    EXPECT_THAT(hits({rule("WIDE", "body", "a.*b")}, {}), ElementsAre(HasSubstr("rule WIDE: ")));
}

TEST(Matcher, TwoRulesOfOneNameAreRefused) {
    EXPECT_THAT(hits({rule("A", "body", "x"), rule("A", "body", "y")}, {}),
                ElementsAre(HasSubstr("there are two of that name")));
}

TEST(Matcher, SaysWhereItLooks) {
    const auto matcher = make_matcher({rule("A", "body", "x"), rule("B", "header:Reply-To", "x")});
    ASSERT_TRUE(matcher.has_value());
    EXPECT_TRUE((*matcher)->looks_at(Target::body));
    EXPECT_TRUE((*matcher)->looks_at(Target::header));
    EXPECT_FALSE((*matcher)->looks_at(Target::raw));
    EXPECT_TRUE((*matcher)->forms_of(Target::header, "Reply-To").has(Form::value));
    EXPECT_FALSE((*matcher)->forms_of(Target::header, "reply-to").has(Form::raw));
    EXPECT_FALSE((*matcher)->forms_of(Target::header, "subject").any());
}

TEST(Matcher, FormsOfAFieldAreApart) {
    const std::vector<Rule> rules = {
        rule("V", "header:From", "ann"),      rule("A", "header:From:addr", "ann"),
        rule("N", "header:From:name", "ann"), rule("W", "header:From:raw", "ann"),
        rule("P", "part:From", "ann"),        rule("E", "envelope:from", "ann")};
    EXPECT_THAT(hits(rules, {{Target::header, "From", "ann"}}), ElementsAre("V=ann"));
    EXPECT_THAT(hits(rules, {{Target::header, "From", "ann", Form::address}}),
                ElementsAre("A=ann"));
    EXPECT_THAT(hits(rules, {{Target::header, "From", "ann", Form::name}}), ElementsAre("N=ann"));
    EXPECT_THAT(hits(rules, {{Target::header, "From", "ann", Form::raw}}), ElementsAre("W=ann"));
    EXPECT_THAT(hits(rules, {{Target::part, "From", "ann"}}), ElementsAre("P=ann"));
    EXPECT_THAT(hits(rules, {{Target::envelope, "from", "ann"}}), ElementsAre("E=ann"));
}

TEST(Matcher, CountsMatchesThatDoNotOverlap) {
    const auto counted = [](const std::string& pattern, std::uint32_t max_hits,
                            const std::vector<Subject>& subjects) {
        Rule each = rule("B", "body", pattern);
        each.max_hits = max_hits;
        const auto found = (*make_matcher({each}))->match(subjects);
        return found.empty() ? 0 : found[0].count;
    };
    EXPECT_EQ(counted("a", 1, {{Target::body, "", "aaaa"}}), 1u);
    EXPECT_EQ(counted("a", 3, {{Target::body, "", "aaaa"}}), 3u);
    EXPECT_EQ(counted("a", 5, {{Target::body, "", "aaaa"}}), 4u);
    EXPECT_EQ(counted("aa", 9, {{Target::body, "", "aaaaa"}}), 2u);
    EXPECT_EQ(counted("a+", 9, {{Target::body, "", "aaa baaa"}}), 2u);
    EXPECT_EQ(counted("a", 9,
                      {{Target::body, "", "b"},
                       {Target::body, "", "aa"},
                       {Target::url, "", "a"},
                       {Target::body, "", "a"}}),
              3u);
    EXPECT_EQ(counted("a", 9, {{Target::body, "", "b"}}), 0u);
}

TEST(Matcher, PartsOfMetaRulesHaveNoEvidenceAndMetaRulesNoPattern) {
    Rule meta;
    meta.name = "M";
    meta.meta = "__A";
    EXPECT_THAT(hits({meta, rule("__A", "body", "x")}, {{Target::body, "", "x"}}),
                ElementsAre("__A="));
}

TEST(Matcher, RulesAtTheLimit) {
    std::vector<Rule> rules;
    for (std::size_t i = 0; i < max_rules + 1; ++i) {
        Rule meta;  // nothing to compile
        meta.name = "M" + std::to_string(i);
        meta.meta = "A";
        rules.push_back(std::move(meta));
        if (rules.size() < max_rules - 1) continue;
        const auto matcher = make_matcher(rules);
        EXPECT_EQ(matcher.has_value(), rules.size() <= max_rules) << rules.size();
        if (!matcher) {
            EXPECT_THAT(matcher.error().text, HasSubstr("more than 20000 rules"));
        }
    }
}

TEST(Matcher, ManyThreadsAtOnce) {
    const auto matcher = make_matcher({rule("A", "body", "needle\\d+"), rule("B", "body", "x")});
    ASSERT_TRUE(matcher.has_value());
    std::vector<std::thread> threads;
    std::vector<int> right(4, 0);
    for (std::size_t t = 0; t < right.size(); ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                const std::string text = "needle" + std::to_string(i);
                const auto found = (*matcher)->match({{Target::body, "", text}});
                right[t] += found.size() == 1 && found[0].evidence == text;
            }
        });
    }
    for (std::thread& each : threads) each.join();
    EXPECT_THAT(right, testing::Each(500));
}

class MemoryCache final : public CompiledCache {
public:
    std::optional<std::string> load() override { return kept; }
    void save(std::string_view bytes) override {
        kept = std::string(bytes);
        ++saved;
    }
    std::optional<std::string> kept;
    int saved = 0;
};

class MatcherCache : public testing::Test {
protected:
    // What fires with the rules made through the cache.
    std::vector<std::size_t> fired(const std::vector<Rule>& rules, std::string_view text) {
        const auto matcher = make_matcher(rules, &cache_);
        EXPECT_TRUE(matcher.has_value());
        std::vector<std::size_t> found;
        for (const PatternHit& hit :
             (*matcher)->match({{Target::body, "", text}, {Target::header, "Subject", text}})) {
            found.push_back(hit.rule);
        }
        return found;
    }
    MemoryCache cache_;
    const std::vector<Rule> rules_ = {rule("A", "body", "pill"), rule("B", "header:Subject", "x")};
};

TEST_F(MatcherCache, SecondStartCompilesNothing) {
    EXPECT_THAT(fired(rules_, "pill x"), ElementsAre(0u, 1u));
    EXPECT_EQ(cache_.saved, 1);
    EXPECT_THAT(fired(rules_, "pill x"), ElementsAre(0u, 1u));
    EXPECT_EQ(cache_.saved, 1);
}

TEST_F(MatcherCache, OtherRulesAreCompiledAnew) {
    fired(rules_, "");
    std::vector<Rule> other = rules_;
    other[0].pattern = "bill";
    EXPECT_THAT(fired(other, "bill"), ElementsAre(0u));
    EXPECT_EQ(cache_.saved, 2);
    other[0].caseless = true;
    EXPECT_THAT(fired(other, "BILL"), ElementsAre(0u));
    EXPECT_EQ(cache_.saved, 3);
    std::swap(other[0].target, other[1].target);
    EXPECT_THAT(fired(other, "x"), ElementsAre(1u));
    EXPECT_EQ(cache_.saved, 4);
}

TEST_F(MatcherCache, NamesAndScoresAreNotPartOfIt) {
    fired(rules_, "");
    std::vector<Rule> other = rules_;
    other[0].name = "OTHER";
    other[0].score = 3;
    EXPECT_THAT(fired(other, "pill"), ElementsAre(0u));
    EXPECT_EQ(cache_.saved, 1);
}

TEST_F(MatcherCache, WhatIsDamagedIsCompiledAnew) {
    fired(rules_, "");
    const std::string whole = *cache_.kept;
    int saved = 1;
    const auto survives = [&](std::string bytes) {
        cache_.kept = std::move(bytes);
        EXPECT_THAT(fired(rules_, "pill x"), ElementsAre(0u, 1u));
        EXPECT_EQ(cache_.saved, ++saved);
        EXPECT_EQ(*cache_.kept, whole);
    };
    survives("");
    survives("PSTRULE1");
    survives(whole + "x");
    survives(whole.substr(0, whole.size() - 1));
    for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 150) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
        survives(damaged);
    }
}

}  // namespace
}  // namespace postern::filters

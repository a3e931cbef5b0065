// The same rules and texts through the matcher and through std::regex: who fires must agree.
#include "filters/patterns/matcher.h"

#include "filters/patterns/vetting.h"

#include <random>
#include <regex>

namespace postern::filters {
namespace {

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return std::tolower(x) == std::tolower(y); });
}

// The contract of Matcher, one rule and one text at a time.
std::vector<std::size_t> plainly(const std::vector<Rule>& rules,
                                 const std::vector<Subject>& subjects) {
    std::vector<std::size_t> fired;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto target = *parse_target(rules[i].target);
        auto flags = std::regex::ECMAScript;
        if (rules[i].caseless) flags |= std::regex::icase;
        if (target.target == Target::body) flags |= std::regex::multiline;
        const std::regex pattern(rules[i].pattern, flags);
        bool matched = false;
        for (const Subject& subject : subjects) {
            if (subject.target != target.target) continue;
            if (target.target == Target::header && !same_name(subject.name, target.name)) {
                continue;
            }
            matched =
                matched || std::regex_search(subject.text.begin(), subject.text.end(), pattern);
        }
        if (matched != rules[i].negated) fired.push_back(i);
    }
    return fired;
}

const char* const patterns[] = {"abc",    "a.c",        "^ab",    "bc$",    "^abc$",
                                "a|b",    "[ab]{2,3}c", "[^a]b",  "a\\s+b", "\\bcab\\b",
                                "(ab)+c", "a?b?c",      "\\d{2}", "c+a",    "b{0,3}d"};
const char* const targets[] = {"header:Subject", "header:From", "header:*", "body", "url"};

std::vector<Rule> all_rules() {
    std::vector<Rule> rules;
    for (const char* target : targets) {
        for (const char* pattern : patterns) {
            for (int variant = 0; variant < 4; ++variant) {
                Rule rule;
                rule.name = "R" + std::to_string(rules.size());
                rule.target = target;
                rule.pattern = pattern;
                rule.caseless = (variant & 1) != 0;
                rule.negated = (variant & 2) != 0;
                if (check_rule(rule)) rules.push_back(rule);
            }
        }
    }
    return rules;
}

TEST(MatcherContract, AgreesWithStdRegexOnRandomTexts) {
    const std::vector<Rule> rules = all_rules();
    ASSERT_GT(rules.size(), 250u);
    const auto matcher = make_matcher(rules);
    ASSERT_TRUE(matcher.has_value()) << matcher.error().text;
    std::mt19937 random(11);
    constexpr std::string_view letters = "aabbccdABC01 \n";
    for (int round = 0; round < 60; ++round) {
        std::vector<std::string> texts(random() % 6);
        std::vector<Subject> subjects;
        for (std::string& text : texts) {
            for (std::size_t n = random() % 12; n > 0; --n)
                text += letters[random() % letters.size()];
        }
        for (const std::string& text : texts) {
            constexpr Target kinds[] = {Target::header, Target::all_headers, Target::body,
                                        Target::url};
            const Target target = kinds[random() % 4];
            // A field's value holds no line ends once it is unfolded.
            if (target != Target::body && text.find('\n') != std::string::npos) continue;
            subjects.push_back({target, random() % 2 == 0 ? "From" : "subject", text});
        }
        std::vector<std::size_t> fired;
        for (const PatternHit& hit : (*matcher)->match(subjects)) fired.push_back(hit.rule);
        EXPECT_EQ(fired, plainly(rules, subjects)) << "round " << round;
    }
}

}  // namespace
}  // namespace postern::filters

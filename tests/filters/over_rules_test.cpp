// What the learned models take back of the rules' score.
#include "filters/features/features.h"
#include "filters/models/models.h"
#include "filters/pipeline/learned.h"
#include "filters/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace postern::filters {
namespace {

std::string mail(int number, bool spam) {
    const std::string id = std::to_string(number);
    return "From: " + std::string(spam ? "win" : "ann") + id +
           "@one.example\r\nTo: ben@one.example\r\nSubject: " + (spam ? "prize " : "minutes ") +
           id + "\r\nMessage-ID: <" + id + "@one.example>\r\n\r\n" +
           (spam ? "Claim the great prize of the lottery today, dear lucky winner"
                 : "The minutes of the last meeting are attached, see you on Thursday") +
           " " + id + ".\r\n";
}

Rule rule_of(const char* name, const char* pattern, double score) {
    Rule rule;
    rule.name = name;
    rule.group = "body";
    rule.description = "d";
    rule.target = "body";
    rule.pattern = pattern;
    rule.score = score;
    return rule;
}

Report judge(const std::vector<Rule>& rules, int lessons, const std::string& message) {
    const auto models = make_models(0);
    for (int i = 0; i < lessons; ++i) {
        const std::string text = mail(i, i % 2 == 0);
        models->learn(extract({text, mime::parse(text), {}, Time{}}).vector,
                      i % 2 == 0 ? Class::spam : Class::ham);
    }
    const auto pipeline = Pipeline::build(rules, {}, models);
    return (*pipeline)->scan({message, mime::parse(message), {}, Time{}});
}

const Symbol* find(const Report& report, std::string_view name) {
    for (const Symbol& each : report.symbols) {
        if (each.name == name) return &each;
    }
    return nullptr;
}

TEST(OverRules, TrainedModelsTakeBackAShareOfWhatRulesAdd) {
    const std::vector<Rule> rules{rule_of("A_PRIZE", "prize", 4)};
    EXPECT_EQ(find(judge(rules, 0, mail(900, true)), over_rules_symbol_name), nullptr);
    const Report report = judge(rules, 200, mail(900, true));
    const Symbol* symbol = find(report, over_rules_symbol_name);
    ASSERT_NE(symbol, nullptr);
    EXPECT_LT(symbol->score, -0.3);
    EXPECT_GT(symbol->score, -2.5);
    EXPECT_THAT(symbol->evidence.at(0), testing::HasSubstr("of what rules and checks add"));
    double sum = 0;
    for (const Symbol& each : report.symbols) sum += each.score;
    EXPECT_NEAR(sum, report.score, 1e-9);
}

TEST(OverRules, WhatDecidesByItselfIsNotTakenBack) {
    const double base = judge({}, 200, mail(901, false)).score;
    const double limit = PipelineOptions{}.spam_threshold;
    EXPECT_NEAR(judge({rule_of("A_MINUTE", "minutes", limit)}, 200, mail(901, false)).score,
                base + limit, 0.011);
    EXPECT_LT(judge({rule_of("A_MINUTE", "minutes", limit - 0.01)}, 200, mail(901, false)).score,
              base + limit - 0.2);
}

TEST(OverRules, WhatMakesSpamByItselfIsNotTakenBack) {
    Report report;
    report.spam_threshold = 5;
    report.symbols = {{"LITTLE", "body", "", 4.99, {}},
                      {"FOR_HAM", "body", "", -2, {}},
                      {"ENOUGH", "body", "", 5, {}}};
    EXPECT_DOUBLE_EQ(modest_rules_score(report), 2.99);
}

TEST(OverRules, NothingIsTakenBackOfRulesForHam) {
    ModelScore score;
    score.own_voice = 0.8;
    EXPECT_EQ(over_rules_score(-3, score), 0);
    EXPECT_EQ(over_rules_score(0, score), 0);
    EXPECT_DOUBLE_EQ(over_rules_score(5, score), -2);
    score.own_voice = 0;
    EXPECT_EQ(over_rules_score(5, score), 0);
}

}  // namespace
}  // namespace postern::filters

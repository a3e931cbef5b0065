#include "gateway/config/rules_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace postern::config {
namespace {

class RulesFile : public ::testing::Test {
protected:
    std::string write(const std::string& yaml, const std::string& name = "rules.yaml") {
        std::filesystem::create_directories(folder_);
        const std::string path = (folder_ / name).string();
        std::ofstream(path) << yaml;
        return path;
    }
    std::string refusal(const std::string& yaml) {
        const std::string path = write(yaml);
        const auto rules = load_rules_file(path);
        EXPECT_FALSE(rules) << yaml;
        if (rules) return "";
        EXPECT_EQ(rules.error().code, Errc::invalid);
        EXPECT_EQ(rules.error().text.rfind(path + ":", 0), 0u) << rules.error().text;
        return rules.error().text.substr(path.size() + 1);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    const std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() / ("postern-rules-" + std::to_string(::getpid()));
};

const std::string good =
    "rules:\n"
    "  - name: A_RULE\n"
    "    group: headers\n"
    "    description: what it sees\n"
    "    score: -1.5\n"
    "    target: header:Subject\n"
    "    pattern: 'x+'\n"
    "    caseless: true\n"
    "    negated: true\n";

std::string with(const std::string& from, const std::string& to) {
    std::string yaml = good;
    yaml.replace(yaml.find(from), from.size(), to);
    return yaml;
}

TEST_F(RulesFile, ReadsEveryKey) {
    const auto rules = load_rules_file(write(good));
    ASSERT_TRUE(rules) << rules.error().text;
    ASSERT_EQ(rules->size(), 1u);
    const filters::Rule& rule = rules->front();
    EXPECT_EQ(rule.name, "A_RULE");
    EXPECT_EQ(rule.group, "headers");
    EXPECT_EQ(rule.description, "what it sees");
    EXPECT_DOUBLE_EQ(rule.score, -1.5);
    EXPECT_EQ(rule.target, "header:Subject");
    EXPECT_EQ(rule.pattern, "x+");
    EXPECT_TRUE(rule.caseless);
    EXPECT_TRUE(rule.negated);
}

TEST_F(RulesFile, RefusesWithTheLine) {
    EXPECT_EQ(refusal(with("group:", "grupe:")).rfind("3:", 0), 0u);
    EXPECT_NE(refusal(with("A_RULE", "a rule")).find("name"), std::string::npos);
    EXPECT_NE(refusal(with("header:Subject", "footer")).find("target"), std::string::npos);
    EXPECT_NE(refusal(with("'x+'", "''")).find("pattern"), std::string::npos);
    EXPECT_NE(refusal(with("-1.5", "much")).find("score"), std::string::npos);
    EXPECT_NE(refusal(with("-1.5", "100.5")).find("score"), std::string::npos);
    EXPECT_NE(refusal(with("what it sees", "''")).find("description"), std::string::npos);
    EXPECT_NE(refusal(good + good.substr(7)).find("twice"), std::string::npos);
    refusal("");
    refusal("rules: 7\n");
    refusal("rules: []\nother: 1\n");
    refusal("rules: [\n");
}

TEST_F(RulesFile, MetaRulesAndTheirParts) {
    const auto rules =
        load_rules_file(write("rules:\n"
                              "  - {name: __A, target: body, pattern: a, max_hits: 9}\n"
                              "  - {name: M, description: d, score: 2, meta: __A > 3}\n"));
    ASSERT_TRUE(rules) << rules.error().text;
    EXPECT_EQ(rules->at(0).max_hits, 9u);
    EXPECT_EQ(rules->at(1).meta, "__A > 3");
    EXPECT_NE(refusal("rules: [{name: M, description: d, meta: A, pattern: x}]\n").find("meta"),
              std::string::npos);
    EXPECT_NE(refusal("rules: [{name: __A, score: 1, target: body, pattern: a}]\n").find("score"),
              std::string::npos);
    EXPECT_NE(refusal("rules: [{name: A, description: d, target: body, pattern: a, max_hits: 0}]\n")
                  .find("max_hits"),
              std::string::npos);
}

TEST_F(RulesFile, WhatIsWrittenReadsTheSame) {
    filters::Rule odd;
    odd.name = "ODD";
    odd.group = "body";
    odd.description = "it's \"so\": # not a remark";
    odd.score = -0.75;
    odd.target = "header:*";
    odd.pattern = "'\\t\"{2}: #\\\\ {a: [b]}";
    odd.caseless = odd.negated = true;
    odd.max_hits = 3;
    filters::Rule part;
    part.name = "__PART";
    part.group = "urls";
    part.target = "url";
    part.pattern = "\xC3\xA4 x ";
    filters::Rule meta;
    meta.name = "META";
    meta.group = "meta";
    meta.description = "d";
    meta.score = 100;
    meta.meta = "!ODD && __PART > 1";
    const std::vector<filters::Rule> rules = {odd, part, meta};
    const auto read = load_rules_file(write(rules_to_yaml(rules, "two\nlines")));
    ASSERT_TRUE(read) << read.error().text;
    ASSERT_EQ(read->size(), rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        EXPECT_EQ(read->at(i).name, rules[i].name);
        EXPECT_EQ(read->at(i).group, rules[i].group);
        EXPECT_EQ(read->at(i).description, rules[i].description);
        EXPECT_DOUBLE_EQ(read->at(i).score, rules[i].score);
        EXPECT_EQ(read->at(i).target, rules[i].target);
        EXPECT_EQ(read->at(i).pattern, rules[i].pattern);
        EXPECT_EQ(read->at(i).meta, rules[i].meta);
        EXPECT_EQ(read->at(i).caseless, rules[i].caseless);
        EXPECT_EQ(read->at(i).negated, rules[i].negated);
        EXPECT_EQ(read->at(i).max_hits, rules[i].max_hits);
    }
    EXPECT_TRUE(load_rules_file(write(rules_to_yaml({}, "")))->empty());
}

TEST_F(RulesFile, PatternLengthLimit) {
    const auto of_length = [](std::size_t length) {
        return with("'x+'", "'" + std::string(length, 'x') + "'");
    };
    EXPECT_TRUE(load_rules_file(write(of_length(filters::max_pattern_bytes - 1))));
    EXPECT_TRUE(load_rules_file(write(of_length(filters::max_pattern_bytes))));
    refusal(of_length(filters::max_pattern_bytes + 1));
}

TEST_F(RulesFile, RulesOfAllFilesAtTheLimit) {
    const auto of_count = [](std::size_t count) {
        std::string yaml = "rules:\n";
        for (std::size_t i = 0; i < count; ++i) {
            yaml += "- {name: M" + std::to_string(i) + ", description: d, score: 1, meta: A}\n";
        }
        return yaml;
    };
    const auto many = write(of_count(filters::max_rules - 2), "many.yaml");
    for (const std::size_t more : {1u, 2u, 3u}) {
        const auto few = write(of_count(more), "few.yaml");
        const auto rules = load_rules({many, few});
        if (more <= 2) {
            ASSERT_TRUE(rules.has_value()) << rules.error().text;
            EXPECT_EQ(rules->size(), filters::max_rules - 2 + more);
        } else {
            ASSERT_FALSE(rules.has_value());
            EXPECT_EQ(rules.error().text, few + ":1: expected at most 20000 rules in all");
        }
    }
}

TEST_F(RulesFile, FolderGivesAllItsFilesInOrder) {
    write(with("A_RULE", "SECOND"), "20.yaml");
    write(with("A_RULE", "FIRST"), "10.yaml");
    write("no rules here", "notes.txt");
    const auto rules = load_rules({folder_.string()});
    ASSERT_TRUE(rules) << rules.error().text;
    ASSERT_EQ(rules->size(), 2u);
    EXPECT_EQ(rules->at(0).name, "FIRST");
    EXPECT_EQ(load_rules({"/nowhere/at/all.yaml"}).error().code, Errc::not_found);
}

TEST_F(RulesFile, ShippedRulesAreFoundWithoutAPath) {
    const auto rules = load_rules({});
    ASSERT_TRUE(rules) << rules.error().text;
    EXPECT_GE(rules->size(), 40u);
}

}  // namespace
}  // namespace postern::config

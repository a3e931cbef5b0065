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

TEST_F(RulesFile, PatternLengthLimit) {
    const auto of_length = [](std::size_t length) {
        return with("'x+'", "'" + std::string(length, 'x') + "'");
    };
    EXPECT_TRUE(load_rules_file(write(of_length(filters::max_pattern_bytes - 1))));
    EXPECT_TRUE(load_rules_file(write(of_length(filters::max_pattern_bytes))));
    refusal(of_length(filters::max_pattern_bytes + 1));
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

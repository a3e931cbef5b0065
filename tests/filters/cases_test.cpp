// Every check and every shipped rule against plain-text cases: see tests/filters/cases/README.md.
#include "filters/checks/check.h"
#include "filters/models/models.h"
#include "filters/pipeline/pipeline.h"
#include "gateway/config/rules_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace postern::filters {
namespace {

struct Case {
    std::string name;
    std::vector<std::string> expected;
    std::vector<std::string> unexpected;
    Connection connection;
    std::string message;
};

void take_directive(Case& one, const std::string& line) {
    const std::size_t space = line.find(' ');
    ASSERT_NE(space, std::string::npos) << one.name << ": " << line;
    const std::string word = line.substr(0, space);
    const std::string rest = line.substr(space + 1);
    if (word == "expect") return one.expected.push_back(rest);
    if (word == "expect-not") return one.unexpected.push_back(rest);
    if (word == "to") return one.connection.recipients.push_back(rest);
    std::string* fact = word == "client" ? &one.connection.client_address
                        : word == "helo" ? &one.connection.helo
                        : word == "from" ? &one.connection.reverse_path
                                         : nullptr;
    ASSERT_NE(fact, nullptr) << one.name << ": unknown word " << word;
    *fact = rest;
}

std::string with_nuls(std::string line) {
    for (std::size_t at = 0; (at = line.find("\\x00", at)) != std::string::npos;) {
        line.replace(at, 4, 1, '\0');
    }
    return line;
}

std::vector<Case> read_cases(const std::filesystem::path& file) {
    std::vector<Case> cases;
    std::ifstream in(file);
    bool in_message = false;
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("=== ", 0) == 0) {
            cases.emplace_back();
            cases.back().name = file.stem().string() + ": " + line.substr(4);
            in_message = false;
        } else if (in_message) {
            cases.back().message += with_nuls(line) + "\r\n";
        } else if (line.empty()) {
            in_message = true;
        } else {
            take_directive(cases.back(), line);
        }
    }
    return cases;
}

std::vector<Case> all_cases() {
    std::vector<Case> all;
    for (const auto& entry :
         std::filesystem::directory_iterator(POSTERN_SOURCE_DIR "/tests/filters/cases")) {
        if (entry.path().extension() != ".txt") continue;
        const std::vector<Case> cases = read_cases(entry.path());
        all.insert(all.end(), cases.begin(), cases.end());
    }
    return all;
}

std::vector<Rule> shipped_rules() {
    auto rules = config::load_rules({POSTERN_SOURCE_DIR "/appliance/etc/rules"});
    EXPECT_TRUE(rules) << rules.error().text;
    return rules ? *rules : std::vector<Rule>();
}

std::set<std::string> fired(const Pipeline& pipeline, const Case& one) {
    const mime::Message parsed = mime::parse(one.message);
    const Report report = pipeline.scan({one.message, parsed, one.connection, Time{}});
    std::set<std::string> names;
    double sum = 0;
    for (const Symbol& symbol : report.symbols) {
        EXPECT_TRUE(names.insert(symbol.name).second) << symbol.name << " twice";
        sum += symbol.score;
    }
    EXPECT_NEAR(sum, report.score, 1e-9) << one.name;
    return names;
}

TEST(FilterCases, EachSaysWhatItExpects) {
    const auto pipeline = Pipeline::build(shipped_rules(), {}, make_models(1 << 20));
    ASSERT_TRUE(pipeline) << pipeline.error().text;
    const std::vector<Case> cases = all_cases();
    ASSERT_GT(cases.size(), 200u);
    for (const Case& one : cases) {
        const std::set<std::string> names = fired(**pipeline, one);
        for (const std::string& name : one.expected) {
            EXPECT_EQ(names.count(name), 1u) << one.name << ": " << name << " did not fire";
        }
        for (const std::string& name : one.unexpected) {
            EXPECT_EQ(names.count(name), 0u) << one.name << ": " << name << " fired";
        }
    }
}

TEST(FilterCases, CoverEveryRuleAndCheckBothWays) {
    std::set<std::string> hit;
    std::set<std::string> missed;
    for (const Case& one : all_cases()) {
        hit.insert(one.expected.begin(), one.expected.end());
        missed.insert(one.unexpected.begin(), one.unexpected.end());
    }
    std::vector<std::string> names;
    for (const Rule& rule : shipped_rules()) names.push_back(rule.name);
    EXPECT_GE(names.size(), 40u) << "a useful starting set";
    for (const Check& check : all_checks()) names.emplace_back(check.name);
    for (const std::string& name : names) {
        EXPECT_EQ(hit.count(name), 1u) << name << " has no case that hits";
        EXPECT_EQ(missed.count(name), 1u) << name << " has no case that misses";
    }
}

TEST(FilterCases, LineEndsAndHeaderCaseDoNotChangeWhatFires) {
    const auto pipeline = Pipeline::build(shipped_rules(), {}, make_models(1 << 20));
    ASSERT_TRUE(pipeline) << pipeline.error().text;
    for (Case one : all_cases()) {
        const std::set<std::string> before = fired(**pipeline, one);
        std::string changed = one.message;
        bool at_name = true;
        for (std::size_t i = 0; i < changed.size(); ++i) {
            if (changed.compare(i, 4, "\r\n\r\n") == 0) break;
            if (at_name && changed[i] != ' ')
                changed[i] = static_cast<char>(std::toupper(changed[i]));
            if (changed[i] == ':') at_name = false;
            if (changed[i] == '\n') at_name = changed[i + 1] != ' ' && changed[i + 1] != '\t';
        }
        one.message = changed;
        EXPECT_EQ(fired(**pipeline, one), before) << one.name;
    }
}

TEST(PipelineBuild, RefusesANameThatIsInUse) {
    Rule rule{"MISSING_DATE", "body", "d", 1, "body", "x", false, false};
    EXPECT_EQ(Pipeline::build({rule}, {}, make_models(1 << 20)).error().code, Errc::invalid);
    rule.name = "TWICE";
    EXPECT_EQ(Pipeline::build({rule, rule}, {}, make_models(1 << 20)).error().code, Errc::invalid);
}

TEST(PipelineScores, ConfigurationDecidesWhatASymbolIsWorth) {
    const Rule rule{"HELLO", "body", "says hello", 1, "body", "hello", true, false};
    PipelineOptions options;
    options.scores = {{"HELLO", 6.5}, {"MISSING_DATE", 0}};
    const auto pipeline = Pipeline::build({rule}, options, make_models(1 << 20));
    ASSERT_TRUE(pipeline);
    const std::string text =
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\n"
        "Message-ID: <a@b.example>\r\n\r\nHello there\r\n";
    const mime::Message parsed = mime::parse(text);
    const Report report = (*pipeline)->scan({text, parsed, {}, Time{}});
    EXPECT_DOUBLE_EQ(report.score, 6.5);
    EXPECT_EQ(report.verdict, Verdict::spam);
    ASSERT_FALSE(report.symbols.empty());
    EXPECT_EQ(report.symbols.front().name, "HELLO");
    EXPECT_EQ(report.symbols.front().evidence, std::vector<std::string>{"Hello"});
}

}  // namespace
}  // namespace postern::filters

#include "filters/metas/meta_set.h"

#include <map>
#include <random>

namespace postern::filters {
namespace {

const std::vector<std::string> symbols = {"A", "B", "C"};

std::vector<std::string> firing(const std::vector<MetaRule>& metas,
                                const std::vector<SymbolValue>& fired) {
    const auto set = MetaSet::make(symbols, metas);
    if (!set) return {set.error().text};
    std::vector<std::string> names;
    for (const MetaHit& hit : set->evaluate(fired)) {
        std::string text = metas[hit.meta].name + ":";
        for (const std::string& each : hit.because) text += " " + each;
        names.push_back(text);
    }
    return names;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MetaSet, FiresAndSaysWhy) {
    const std::vector<MetaRule> metas = {{"M", "A && (B || C)"}, {"N", "A && !B"}};
    EXPECT_THAT(firing(metas, {{0, 1}, {2, 1}}), ElementsAre("M: A C", "N: A"));
    EXPECT_THAT(firing(metas, {{0, 1}, {1, 1}}), ElementsAre("M: A B"));
    EXPECT_THAT(firing(metas, {}), IsEmpty());
}

TEST(MetaSet, UsesOtherMetasWhateverTheirOrder) {
    const std::vector<MetaRule> metas = {
        {"LAST", "MIDDLE && C"}, {"FIRST", "A || B"}, {"MIDDLE", "!FIRST"}};
    EXPECT_THAT(firing(metas, {{2, 1}}), ElementsAre("LAST: MIDDLE C", "MIDDLE:"));
    EXPECT_THAT(firing(metas, {{0, 1}, {2, 1}}), ElementsAre("FIRST: A"));
}

TEST(MetaSet, CountsAndValuesAddUp) {
    const std::vector<MetaRule> metas = {{"SUM", "A + B"}, {"MANY", "SUM > 4"}};
    EXPECT_THAT(firing(metas, {{0, 3}, {1, 2}}), ElementsAre("SUM: A B", "MANY: SUM"));
    EXPECT_THAT(firing(metas, {{0, 3}, {1, 1}}), ElementsAre("SUM: A B"));
}

TEST(MetaSet, WhatFiresOnNothingFires) {
    EXPECT_THAT(firing({{"NONE", "!A && !B"}}, {}), ElementsAre("NONE:"));
    EXPECT_THAT(firing({{"NONE", "!A && !B"}}, {{1, 1}}), IsEmpty());
}

TEST(MetaSet, RefusesWithTheRule) {
    EXPECT_THAT(firing({{"M", "A &&"}}, {}),
                ElementsAre("rule M: expected a symbol or a number at its end"));
    EXPECT_THAT(firing({{"M", "A && D"}}, {}), ElementsAre("rule M: there is no symbol D"));
    EXPECT_THAT(firing({{"M", "M"}}, {}),
                ElementsAre("rule M: it needs a rule that needs it in turn"));
    EXPECT_THAT(firing({{"M", "N"}, {"N", "A || M"}}, {}),
                ElementsAre("rule M: it needs a rule that needs it in turn"));
    EXPECT_THAT(firing({{"A", "B"}}, {}), ElementsAre("rule A: the name is in use already"));
}

// Only what a message bears on is worked out; the outcome must be as if all of it were.
TEST(MetaSet, AgreesWithWorkingEverythingOut) {
    std::mt19937 random(5);
    std::vector<std::string> names;
    for (int i = 0; i < 12; ++i) names.push_back("S" + std::to_string(i));
    std::vector<MetaRule> metas;
    for (int i = 0; i < 60; ++i) {
        const auto any = [&]() -> std::string {
            const bool meta = i > 0 && random() % 2 == 0;
            const std::string sign = random() % 4 == 0 ? "!" : "";
            return sign + (meta ? "M" + std::to_string(random() % i)
                                : "S" + std::to_string(random() % 12));
        };
        constexpr const char* signs[] = {" && ", " || ", " + ", " > "};
        metas.push_back({"M" + std::to_string(i),
                         any() + signs[random() % 4] + any() + signs[random() % 4] + any()});
    }
    const auto set = MetaSet::make(names, metas);
    ASSERT_TRUE(set.has_value()) << set.error().text;
    for (int round = 0; round < 200; ++round) {
        std::map<std::string, double> values;
        std::vector<SymbolValue> fired;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (random() % 4 != 0) continue;
            fired.push_back({i, static_cast<double>(1 + random() % 3)});
            values[names[i]] = fired.back().value;
        }
        std::vector<std::size_t> expected;
        for (std::size_t i = 0; i < metas.size(); ++i) {
            const auto expression = *Expression::parse(metas[i].expression);
            std::vector<double> operands;
            for (const std::string& name : expression.names()) operands.push_back(values[name]);
            values[metas[i].name] = expression.evaluate(operands);
            if (values[metas[i].name] != 0) expected.push_back(i);
        }
        std::vector<std::size_t> found;
        for (const MetaHit& hit : set->evaluate(fired)) found.push_back(hit.meta);
        EXPECT_EQ(found, expected) << "round " << round;
    }
}

}  // namespace
}  // namespace postern::filters

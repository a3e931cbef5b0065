#include "filters/metas/expression.h"

#include <map>

namespace postern::filters {
namespace {

double value(const std::string& text, const std::map<std::string, double>& symbols = {}) {
    const auto expression = Expression::parse(text);
    EXPECT_TRUE(expression.has_value()) << text << ": " << expression.error().text;
    if (!expression) return -999;
    std::vector<double> values;
    for (const std::string& name : expression->names()) {
        const auto found = symbols.find(name);
        values.push_back(found == symbols.end() ? 0 : found->second);
    }
    return expression->evaluate(values);
}

std::string refusal(const std::string& text) {
    const auto expression = Expression::parse(text);
    return expression ? "" : expression.error().text;
}

TEST(Expression, TruthAndValues) {
    EXPECT_EQ(value("A && B", {{"A", 1}, {"B", 3}}), 3);
    EXPECT_EQ(value("A && B", {{"B", 3}}), 0);
    EXPECT_EQ(value("A || B", {{"A", 2}, {"B", 3}}), 2);
    EXPECT_EQ(value("A || B", {{"B", 3}}), 3);
    EXPECT_EQ(value("!A"), 1);
    EXPECT_EQ(value("!A", {{"A", 7}}), 0);
    EXPECT_EQ(value("!!A", {{"A", 7}}), 1);
    EXPECT_EQ(value("-A", {{"A", 7}}), -7);
}

TEST(Expression, PrecedenceIsThatOfC) {
    EXPECT_EQ(value("1 + 2 * 3"), 7);
    EXPECT_EQ(value("(1 + 2) * 3"), 9);
    EXPECT_EQ(value("10 - 3 - 2"), 5);
    EXPECT_EQ(value("1 + 1 > 1"), 1);
    EXPECT_EQ(value("0 || 1 && 0"), 0);
    EXPECT_EQ(value("1 || 0 && 0"), 1);
    EXPECT_EQ(value("!1 + 1"), 1);
    EXPECT_EQ(value("2 > 1 == 1"), 1);
    EXPECT_EQ(value("A + B + C >= 2", {{"A", 1}, {"C", 1}}), 1);
    EXPECT_EQ(value("(A + B + C) > 2", {{"A", 1}, {"C", 1}}), 0);
}

TEST(Expression, EveryComparison) {
    EXPECT_EQ(value("1 < 2") + value("2 <= 2") + value("3 > 2") + value("2 >= 2") +
                  value("2 == 2") + value("2 != 3"),
              6);
    EXPECT_EQ(value("2 < 2") + value("3 <= 2") + value("2 > 2") + value("1 >= 2") +
                  value("2 == 3") + value("2 != 2"),
              0);
}

TEST(Expression, DivisionByNothingIsNothing) {
    EXPECT_EQ(value("A / B", {{"A", 3}}), 0);
    EXPECT_DOUBLE_EQ(value("A / 2", {{"A", 3}}), 1.5);
    EXPECT_DOUBLE_EQ(value(".5 + 0.25"), 0.75);
}

TEST(Expression, NamesAreListedOnce) {
    EXPECT_EQ(Expression::parse("A && (__B_2 || !A)")->names(),
              (std::vector<std::string>{"A", "__B_2"}));
}

TEST(Expression, RefusesWithThePlace) {
    EXPECT_EQ(refusal(""), "expected a symbol or a number at its end");
    EXPECT_EQ(refusal("A &&"), "expected a symbol or a number at its end");
    EXPECT_EQ(refusal("A B"), "expected an operator at \"B\"");
    EXPECT_EQ(refusal("(A || B"), "expected \")\" at its end");
    EXPECT_EQ(refusal("A & B"), "expected an operator at \"& B\"");
    EXPECT_EQ(refusal("3A"), "expected an operator at \"A\"");
    EXPECT_EQ(refusal("A)"), "expected an operator at \")\"");
}

TEST(Expression, DepthLimit) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "A" + std::string(depth, ')');
    };
    EXPECT_EQ(refusal(nested(max_expression_depth - 2)), "");
    EXPECT_EQ(refusal(nested(max_expression_depth - 1)), "");
    EXPECT_EQ(refusal(nested(max_expression_depth)), "it is nested too deeply");
    EXPECT_NE(refusal(std::string(100'000, '(')), "");
}

TEST(Expression, LengthLimit) {
    const auto of_length = [](std::size_t length) { return "A" + std::string(length - 1, ' '); };
    EXPECT_EQ(refusal(of_length(max_expression_bytes - 1)), "");
    EXPECT_EQ(refusal(of_length(max_expression_bytes)), "");
    EXPECT_NE(refusal(of_length(max_expression_bytes + 1)), "");
}

TEST(Expression, LongSumsAndManyNames) {
    std::string text = "N0";
    std::map<std::string, double> symbols{{"N0", 1}};
    for (int i = 1; i < 500; ++i) {
        const std::string name = "N" + std::to_string(i);
        text += " + " + name;
        symbols[name] = i;
    }
    EXPECT_EQ(value(text, symbols), 1 + 499 * 500 / 2);
}

TEST(Expression, ConstantWhereWhatIsKnownSettlesIt) {
    const auto constant = [](const char* text, std::optional<double> a, std::optional<double> b) {
        const auto expression = *Expression::parse(text);
        std::vector<std::optional<double>> values{a, b};
        values.resize(expression.names().size());
        return expression.constant(values);
    };
    EXPECT_EQ(constant("A && B", 0, std::nullopt), 0);
    EXPECT_EQ(constant("B && A", std::nullopt, 0), 0);
    EXPECT_EQ(constant("A || B", 1, std::nullopt), 1);
    EXPECT_EQ(constant("A || B", 0, std::nullopt), std::nullopt);
    EXPECT_EQ(constant("A + B > 0", 0, std::nullopt), std::nullopt);
    EXPECT_EQ(constant("!A", 0, std::nullopt), 1);
    EXPECT_EQ(constant("-A + 1", 1, std::nullopt), 0);
    EXPECT_EQ(constant("A && !B", std::nullopt, 0), std::nullopt);
}

}  // namespace
}  // namespace postern::filters

#include "filters/report.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace postern::filters {
namespace {

Report sample() {
    Report report;
    report.verdict = Verdict::spam;
    report.score = 4.7 + 1.2 + -0.25;
    report.spam_threshold = 5;
    report.unsure_threshold = 3;
    report.probability = 0.9981;
    report.log_odds = 6.27;
    report.trained_ham = 150;
    report.trained_spam = 151;
    report.symbols = {{"A", "headers", "first", 4.7, {"x", "\xff\xfe not UTF-8"}},
                      {"B", "body", "second", 1.2, {}},
                      {"C", "urls", "", -0.25, {"y"}}};
    return report;
}

double sum(const Report& report) {
    double total = 0;
    for (const Symbol& symbol : report.symbols) total += symbol.score;
    return total;
}

TEST(Report, StatusLine) {
    EXPECT_EQ(status_line(sample()),
              "Yes, score=5.65 required=5 probability=0.998 tests=A=4.7,B=1.2,C=-0.25");
}

TEST(Report, StatusLineOfHamWithoutSymbols) {
    Report report;
    report.spam_threshold = 5;
    EXPECT_EQ(status_line(report), "No, score=0 required=5 probability=0.500 tests=none");
}

TEST(Report, StrongestPullsTowardsTheVerdict) {
    Report report = sample();
    EXPECT_EQ(strongest(report)->name, "A");
    report.verdict = Verdict::ham;
    EXPECT_EQ(strongest(report)->name, "C");
    report.symbols.resize(2);
    EXPECT_EQ(strongest(report), nullptr);
}

TEST(Report, RoundTrip) {
    const Report before = sample();
    const auto after = decode_report(encode_report(before, 64 * 1024));
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(after->verdict, before.verdict);
    EXPECT_EQ(after->score, before.score);
    EXPECT_EQ(after->probability, before.probability);
    EXPECT_EQ(after->log_odds, before.log_odds);
    EXPECT_EQ(after->trained_spam, 151u);
    ASSERT_EQ(after->symbols.size(), 3u);
    EXPECT_EQ(after->symbols[0].description, "first");
    EXPECT_EQ(after->symbols[0].evidence[0], "x");
    EXPECT_EQ(after->symbols[0].evidence[1], "\xEF\xBF\xBD\xEF\xBF\xBD not UTF-8");
    EXPECT_EQ(sum(*after), after->score);
}

// Whoever reads it and writes it again gets the same.
TEST(Report, IsWrittenAsTheJsonLibraryDoes) {
    Report report = sample();
    report.score = 1e-7;
    report.log_odds = -123456789.125;
    report.probability = 1.0 / 3;
    report.spam_threshold = std::nan("");
    report.trained_ham = UINT64_MAX;
    report.symbols.push_back({"", "", "", 0, {""}});
    report.symbols.push_back({"\"q\" \\", "\x7f\x01\n", "\xC3\xA9", 1e22, {"\t", "/", "\xC3"}});
    const std::string text = encode_report(report, 64 * 1024);
    EXPECT_EQ(nlohmann::json::parse(text).dump(), text);
    report.symbols.clear();
    const std::string without = encode_report(report, 64 * 1024);
    EXPECT_EQ(nlohmann::json::parse(without).dump(), without);
}

Report large() {
    Report report = sample();
    report.symbols.clear();
    report.score = 0;
    for (int i = 0; i < 200; ++i) {
        report.symbols.push_back({"SYMBOL_" + std::to_string(i),
                                  "body",
                                  std::string(50, 'd'),
                                  (200 - i) / 100.0,
                                  {std::string(100, 'e')}});
        report.score += report.symbols.back().score;
    }
    return report;
}

TEST(Report, EvidenceOfTheWeakestIsDroppedFirst) {
    const std::size_t whole = encode_report(large(), 1 << 20).size();
    const std::string text = encode_report(large(), whole - 1);
    EXPECT_LE(text.size(), whole - 1);
    const auto report = decode_report(text);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->symbols.size(), 200u);
    EXPECT_EQ(report->symbols.front().evidence.size(), 1u);
    EXPECT_EQ(report->symbols.back().evidence.size(), 0u);
    EXPECT_EQ(report->symbols.back().description.size(), 50u);
}

TEST(Report, EveryLimitIsKeptAndTheSumHolds) {
    for (std::size_t limit : {std::size_t{0}, min_report_bytes - 1, min_report_bytes,
                              min_report_bytes + 1, std::size_t{4000}, std::size_t{20000}}) {
        const std::string text = encode_report(large(), limit);
        EXPECT_LE(text.size(), std::max(limit, min_report_bytes));
        const auto report = decode_report(text);
        ASSERT_TRUE(report.has_value());
        EXPECT_EQ(sum(*report), report->score);
        EXPECT_NEAR(report->score, large().score, 1e-9);
    }
}

TEST(Report, BrokenTextIsAnError) {
    for (const char* text : {"", "null", "[]", "{}", "{\"version\":2}", "{\"version\":1}",
                             "{\"version\":\"1\"}", "{\"version\":1,\"verdict\":\"eggs\"}"}) {
        const auto report = decode_report(text);
        ASSERT_FALSE(report.has_value()) << text;
        EXPECT_EQ(report.error().code, Errc::corrupt);
    }
}

TEST(Report, EveryCutIsAnError) {
    const std::string text = encode_report(sample(), 4000);
    for (std::size_t i = 0; i < text.size(); ++i) {
        EXPECT_FALSE(decode_report(text.substr(0, i)).has_value());
    }
}

}  // namespace
}  // namespace postern::filters

#include "filters/evidence.h"

namespace postern::filters {
namespace {

TEST(QuoteEvidence, PlainTextStays) {
    EXPECT_EQ(quote_evidence(""), "");
    EXPECT_EQ(quote_evidence("cheap pills"), "cheap pills");
    EXPECT_EQ(quote_evidence("\xE2\x82\xAC 5"), "\xE2\x82\xAC 5");
}

TEST(QuoteEvidence, BlanksAndControlsAreOneSpace) {
    EXPECT_EQ(quote_evidence(" a\r\n\t b\x01\x7F c\0"), "a b c");
}

TEST(QuoteEvidence, WhatIsNoUtf8IsReplaced) {
    for (const char* bad : {"\xFF", "\xC0\x80", "\xE0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                            "\xC3", "\xF4\x90\x80\x80"}) {
        const std::string quoted = quote_evidence(bad);
        EXPECT_EQ(quoted.substr(0, 3), "\xEF\xBF\xBD");
        EXPECT_EQ(quoted.find(bad[0]), bad[0] == '\xEF' ? 0 : std::string::npos);
    }
}

TEST(QuoteEvidence, CutAtTheLimit) {
    EXPECT_EQ(quote_evidence(std::string(9, 'a'), 10), std::string(9, 'a'));
    EXPECT_EQ(quote_evidence(std::string(10, 'a'), 10), std::string(10, 'a'));
    EXPECT_EQ(quote_evidence(std::string(11, 'a'), 10), "aaaaaaa...");
    EXPECT_EQ(quote_evidence("aaaaaa\xE2\x82\xAC\xE2\x82\xAC", 10), "aaaaaa...");
    EXPECT_EQ(quote_evidence("abc", 2), "");
}

}  // namespace
}  // namespace postern::filters

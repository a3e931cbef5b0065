#include "protocols/wire/text.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

TEST(Text, Utf8) {
    for (const std::string good : {"", "abc", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                   "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(good)) << printable(good);
    }
    for (const std::string bad :
         {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xe0\x80\xaf", "\xe2\x82", "\xed\xa0\x80",
          "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc3(b"}) {
        EXPECT_FALSE(is_utf8(bad)) << printable(bad);
    }
}

TEST(Text, Numbers) {
    EXPECT_EQ(parse_number("0"), 0u);
    EXPECT_EQ(parse_number("0042"), 42u);
    EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615u);
    for (const char* bad : {"", "18446744073709551616", "+1", "-1", " 1", "1 ", "0x1", "1e3"}) {
        EXPECT_FALSE(parse_number(bad)) << bad;
    }
}

TEST(Text, Case) {
    EXPECT_TRUE(equals_ignoring_case("EhLo", "eHlO"));
    EXPECT_FALSE(equals_ignoring_case("ehlo", "ehl"));
    EXPECT_TRUE(starts_with_ignoring_case("from:<>", "FROM:"));
    EXPECT_FALSE(starts_with_ignoring_case("FROM", "FROM:"));
    EXPECT_EQ(upper_case("aZ-\xe4"), "AZ-\xe4");
}

TEST(Text, Printable) {
    EXPECT_EQ(printable(std::string("a\0\n\xff", 4)), "a\\x00\\x0a\\xff");
    EXPECT_EQ(printable("abcdef", 6), "abcdef");
    EXPECT_EQ(printable("abcdef", 5), "abcde...");
}

}  // namespace
}  // namespace postern::wire

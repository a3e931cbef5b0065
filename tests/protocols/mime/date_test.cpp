#include "protocols/mime/date.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::mime {
namespace {

constexpr std::int64_t july_17 = 837'596'665;  // 1996-07-17 09:44:25 UTC

TEST(Date, Rfc5322) {
    const auto date = parse_date("Wed, 17 Jul 1996 02:44:25 -0700 (PDT)");
    ASSERT_TRUE(date);
    EXPECT_EQ(*date, (DateTime{july_17, -420}));
    EXPECT_EQ(format_rfc5322(*date), "Wed, 17 Jul 1996 02:44:25 -0700");
    EXPECT_EQ(format_imap(*date), "17-Jul-1996 02:44:25 -0700");
}

TEST(Date, TolerantForms) {
    for (const std::string text :
         {"17 Jul 1996 09:44:25 GMT", "17 jul 96 09:44:25", "Wed, 17 July 1996 9:44:25 UT",
          "Wednesday, 17-Jul-96 09:44:25 GMT", "Wed Jul 17 09:44:25 1996",
          "Wed Jul 17 05:44:25 EDT 1996", "1996-07-17T09:44:25Z", "1996-07-17 11:44:25.123+02:00",
          "Wed, 17 Jul 1996 (comment) 02:44:25 PDT", "17 Jul 096 09:44:25 X",
          "Wed,17 Jul 1996 09.44.25", "17 Jul 1996 09:44:25 AM", "17 Jul 1996 09:44:25 GMT+0000"}) {
        const auto date = parse_date(text);
        ASSERT_TRUE(date) << text;
        EXPECT_EQ(date->unix_seconds, july_17) << text;
    }
    EXPECT_EQ(parse_date("17 Jul 1996 9:44:25 PM")->unix_seconds, july_17 + 12 * 3600);
    EXPECT_EQ(parse_date("17 Jul 1996 09:44")->unix_seconds, july_17 - 25);
    EXPECT_EQ(parse_date("17 Jul 1996")->unix_seconds, july_17 - 9 * 3600 - 44 * 60 - 25);
}

TEST(Date, TwoDigitYears) {
    EXPECT_EQ(format_imap(*parse_date("1 Jan 49 00:00:00 +0000")), " 1-Jan-2049 00:00:00 +0000");
    EXPECT_EQ(format_imap(*parse_date("1 Jan 50 00:00:00 +0000")), " 1-Jan-1950 00:00:00 +0000");
    EXPECT_EQ(format_imap(*parse_date("1 Jan 103 00:00:00 +0000")), " 1-Jan-2003 00:00:00 +0000");
    EXPECT_EQ(format_imap(*parse_date("1 Jan 0102 00:00:00 +0000")), " 1-Jan-2002 00:00:00 +0000");
}

TEST(Date, NotADate) {
    for (const std::string text :
         {"", "yesterday", "32 Jan 2000 00:00:00", "31 Apr 2000 00:00:00", "1 Jan 2000 24:00:00",
          "1 Jan 2000 00:60:00", "Jan", "1 Foo 2000", "99999999999999999999", "0 Jan 2000",
          "1 Jan 1899 00:00:00", "::", "1 Jan 2000 1:", "2000-", "2000-01-"}) {
        EXPECT_FALSE(parse_date(text)) << text;
    }
    EXPECT_TRUE(parse_date("1 Jan 1900 00:00:00"));
    EXPECT_TRUE(parse_date("31 Dec 9999 23:59:59"));
    EXPECT_TRUE(parse_date("31 Dec 2016 23:59:60"));
}

TEST(Date, ImpossibleZonesCountAsUtc) {
    EXPECT_EQ(parse_date("1 Jan 2000 00:00:00 +9999")->zone_minutes, 0);
    EXPECT_EQ(parse_date("1 Jan 2000 00:00:00 +2359")->zone_minutes, 1439);
    EXPECT_EQ(parse_date("1 Jan 2000 00:00:00 +2400")->zone_minutes, 0);
    EXPECT_EQ(parse_date("1 Jan 2000 00:00:00 -0060")->zone_minutes, 0);
}

TEST(Date, WrittenDayIgnoresTheZone) {
    EXPECT_EQ(parse_date("2 Jan 1970 00:30:00 +0200")->written_day(), 1);
    EXPECT_EQ(parse_date("1 Jan 1970 23:30:00 -0200")->written_day(), 0);
    EXPECT_EQ(parse_date("31 Dec 1969 12:00:00 +0000")->written_day(), -1);
    EXPECT_EQ(format_rfc5322(*parse_date("31 Dec 1969 12:00:00 +0000")),
              "Wed, 31 Dec 1969 12:00:00 +0000");
}

TEST(Date, ImapFormIsExact) {
    EXPECT_EQ(*parse_imap_date("17-Jul-1996 02:44:25 -0700"), (DateTime{july_17, -420}));
    EXPECT_EQ(format_imap(*parse_imap_date(" 1-Feb-2004 00:00:00 +0130")),
              " 1-Feb-2004 00:00:00 +0130");
    for (const std::string text :
         {"", "1-Feb-2004 00:00:00 +0000", "17-Jul-1996 02:44:25 0700", "17-Jul-1996 02:44:25",
          "17-Xyz-1996 02:44:25 -0700", "17-Jul-96 02:44:25 -0700  ", "17-Jul-1996 02:44:25 -0760",
          "17 Jul 1996 02:44:25 -0700", "x7-Jul-1996 02:44:25 -0700",
          "31-Feb-1996 02:44:25 -0700"}) {
        EXPECT_FALSE(parse_imap_date(text)) << text;
    }
}

}  // namespace
}  // namespace postern::mime

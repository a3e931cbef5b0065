// Dates, flags and the pieces of responses.
#include "protocols/imap/dates.h"
#include "protocols/imap/flag_text.h"
#include "protocols/imap/response.h"

#include <gtest/gtest.h>

namespace postern::imap {
namespace {

std::string round_trip(std::string_view text) {
    const auto time = parse_date_time(text);
    return time ? format_date_time(*time) : "none";
}

TEST(DateTime, ComesBackInUtc) {
    EXPECT_EQ(round_trip("17-Jul-1996 02:44:25 -0700"), "\"17-Jul-1996 09:44:25 +0000\"");
    EXPECT_EQ(round_trip(" 1-jan-2024 00:00:00 +0530"), "\"31-Dec-2023 18:30:00 +0000\"");
    EXPECT_EQ(round_trip("01-Jan-1960 00:00:00 +0000"), "\" 1-Jan-1960 00:00:00 +0000\"");
    EXPECT_EQ(round_trip("29-Feb-2024 23:59:60 +0000"), "\"29-Feb-2024 23:59:59 +0000\"");
}

TEST(DateTime, IsRefusedWhenImpossible) {
    for (const char* text :
         {"", "17-Jul-1996", "17-Jul-1996 02:44:25", "32-Jan-2024 00:00:00 +0000",
          "29-Feb-2023 00:00:00 +0000", "17-Jux-1996 02:44:25 -0700", "17-Jul-1996 24:00:00 +0000",
          "17-Jul-1996 02:60:00 +0000", "17-Jul-1996 02:44:25 *0700", "17-Jul-1996 02:44:25 +0070",
          "x7-Jul-1996 02:44:25 -0700", "17-Jul-19x6 02:44:25 -0700",
          "17 Jul 1996 02:44:25 -0700"}) {
        EXPECT_EQ(round_trip(text), "none") << text;
    }
}

TEST(Date, HasOneOrTwoDigitsAndMaybeQuotes) {
    const auto days = [](std::string_view text) {
        Lexer lexer(text);
        const auto day = parse_date(lexer);
        return day ? std::to_string(*day) + std::string(lexer.rest()) : "none";
    };
    EXPECT_EQ(days("1-Feb-1994"), "8797");
    EXPECT_EQ(days("01-feb-1994 x"), "8797 x");
    EXPECT_EQ(days("\"1-Feb-1994\")"), "8797)");
    EXPECT_EQ(days("31-Dec-1969"), "-1");
    for (const char* text : {"", "1", "1-Feb-94", "\"1-Feb-1994", "0-Feb-1994", "31-Apr-2024",
                             "-Feb-1994", "1-Feb-199"}) {
        EXPECT_EQ(days(text), "none") << text;
    }
}

Flags flags_of(std::string_view text) {
    Lexer lexer(text);
    Flags flags;
    while (parse_flag(lexer, flags) && lexer.skip_space()) {
    }
    EXPECT_TRUE(lexer.at_end()) << text;
    return flags;
}

TEST(FlagText, IsSortedAndUnique) {
    EXPECT_EQ(format_flags(flags_of("\\seen zeta \\ANSWERED Alpha zETA \\Recent \\Indexed"), false),
              "(\\Answered \\Seen Alpha zeta)");
    EXPECT_EQ(format_flags({}, true), "(\\Recent)");
    EXPECT_EQ(format_flags({}, false), "()");
    EXPECT_EQ(format_flag_names({"work"}, "\\*"),
              "(\\Answered \\Flagged \\Deleted \\Seen \\Draft work \\*)");
}

TEST(FlagText, KnowsWhatIsNoFlag) {
    for (const char* text : {"", "\\", "(", "\\*", "\"a\""}) {
        Lexer lexer(text);
        Flags flags;
        EXPECT_FALSE(parse_flag(lexer, flags)) << text;
        EXPECT_EQ(flags, Flags{});
        EXPECT_EQ(lexer.rest(), text);
    }
}

TEST(Response, ChoosesQuotedOrLiteral) {
    EXPECT_EQ(format_string(""), "\"\"");
    EXPECT_EQ(format_string("a \"b\" \\c"), "\"a \\\"b\\\" \\\\c\"");
    EXPECT_EQ(format_string("a\r\nb"), "{4}\r\na\r\nb");
    EXPECT_EQ(format_string("\xc3\xbc"), "{2}\r\n\xc3\xbc");
    EXPECT_EQ(format_string(std::string(1024, 'x')).front(), '"');
    EXPECT_EQ(format_string(std::string(1025, 'x')).front(), '{');
    EXPECT_EQ(format_mailbox("\xc3\x9c"), "\"&ANw-\"");
}

TEST(Response, JoinsRunsAndKeepsTheOrder) {
    EXPECT_EQ(format_sequence({}), "");
    EXPECT_EQ(format_sequence({5}), "5");
    EXPECT_EQ(format_sequence({1, 2, 3, 7, 9, 10}), "1:3,7,9:10");
    EXPECT_EQ(format_sequence({9, 2, 3, 1}), "9,2:3,1");
}

TEST(Response, TextIsOneHarmlessLine) {
    EXPECT_EQ(format_text("all well"), "all well");
    EXPECT_EQ(format_text("[ALERT] x"), "Failed: [ALERT] x");
    EXPECT_EQ(format_text(""), "Failed: ");
    EXPECT_EQ(format_text("a\r\nb OK").find('\n'), std::string::npos);
}

}  // namespace
}  // namespace postern::imap

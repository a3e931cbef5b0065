#include "protocols/imap/lexer.h"

#include "protocols/imap/engine.h"
#include "protocols/imap/sequence_set.h"

#include <gtest/gtest.h>

namespace postern::imap {
namespace {

TEST(Lexer, ReadsStringsOfEveryKind) {
    const auto astring = [](std::string_view text) {
        Lexer lexer(text);
        const auto value = lexer.astring();
        return value ? *value + '|' + std::string(lexer.rest()) : "none";
    };
    EXPECT_EQ(astring("atom] x"), "atom]| x");
    EXPECT_EQ(astring("\"a \\\"b\\\\\" x"), "a \"b\\| x");
    EXPECT_EQ(astring("\"\""), "|");
    EXPECT_EQ(astring("\"\xc3\xbc\""), "\xc3\xbc|");
    EXPECT_EQ(astring("{3}\r\na\r\n)"), "a\r\n|)");
    EXPECT_EQ(astring("{0}\r\n"), "|");
    for (const std::string text : {"", " a", "(a", "\"a", "\"a\\b\"", "\"a\rb\"", "{3}\r\nab",
                                   "{3}ab", "{x}\r\n", "\xc3", "\x7f", "*", "%", "\\a"}) {
        EXPECT_EQ(astring(text), "none") << text;
    }
    EXPECT_EQ(astring(std::string_view("\"a\0b\"", 5)), "none");
    EXPECT_EQ(astring(std::string_view("{1}\r\n\0", 6)), "none");
}

TEST(Lexer, ReadsNumbersThatFit) {
    EXPECT_EQ(Lexer("4294967295").number(), 4294967295U);
    EXPECT_EQ(Lexer("4294967296").number(), std::nullopt);
    EXPECT_EQ(Lexer("0").number(), 0U);
    EXPECT_EQ(Lexer("0").nz_number(), std::nullopt);
    EXPECT_EQ(Lexer("-1").number(), std::nullopt);
    EXPECT_EQ(Lexer("x").number(), std::nullopt);
    EXPECT_EQ(Lexer("18446744073709551615").number64(), 18446744073709551615U);
    EXPECT_EQ(Lexer("18446744073709551616").number64(), std::nullopt);
}

TEST(Lexer, TakesWordsWholeOrNotAtAll) {
    Lexer lexer("uid fetch");
    EXPECT_FALSE(lexer.skip_word("UI"));
    EXPECT_TRUE(lexer.skip_word("UID"));
    EXPECT_FALSE(lexer.skip_word("FETCH"));
    EXPECT_TRUE(lexer.skip_space());
    EXPECT_TRUE(lexer.skip_word("FETCH"));
    EXPECT_TRUE(lexer.at_end());
    EXPECT_FALSE(lexer.skip('\0'));
}

std::optional<SequenceSet> set_of(std::string_view text) {
    Lexer lexer(text);
    auto set = parse_sequence_set(lexer);
    if (set && !lexer.at_end()) return std::nullopt;
    return set;
}

std::string positions(std::string_view text, const UidSet& uids) {
    const auto found = resolve_positions(set_of(text).value(), uids);
    return found ? found->to_string() : "none";
}

TEST(SequenceSet, ResolvesPositionsThatExist) {
    const UidSet uids = {10, 20, 30, 40};
    const auto found = [&](std::string_view text, const UidSet& among) {
        return resolve_existing_positions(set_of(text).value(), among).to_string();
    };
    EXPECT_EQ(found("1,3:4", uids), "10,30,40");
    EXPECT_EQ(found("5", uids), "");
    EXPECT_EQ(found("3:9,77", uids), "30,40");
    EXPECT_EQ(found("9:3", uids), "30,40");
    EXPECT_EQ(found("5:*", uids), "40");
    EXPECT_EQ(found("*:4294967295", uids), "40");
    EXPECT_EQ(found("*", {}), "");
    EXPECT_EQ(found("1:*", {}), "");
}

TEST(SequenceSet, ResolvesPositions) {
    const UidSet uids = {10, 20, 30, 40};
    EXPECT_EQ(positions("1", uids), "10");
    EXPECT_EQ(positions("2:3", uids), "20,30");
    EXPECT_EQ(positions("3:2,1", uids), "10,20,30");
    EXPECT_EQ(positions("*", uids), "40");
    EXPECT_EQ(positions("*:3", uids), "30,40");
    EXPECT_EQ(positions("1:*", uids), "10,20,30,40");
    EXPECT_EQ(positions("5", uids), "none");
    EXPECT_EQ(positions("5:*", uids), "none");
    EXPECT_EQ(positions("*", {}), "none");
    EXPECT_EQ(positions("1:*", {}), "");
    EXPECT_EQ(positions("1:2", {}), "none");
    EXPECT_EQ(positions("2:*", {}), "none");
}

TEST(SequenceSet, PassesOverUidsThatDoNotExist) {
    const UidSet uids = {10, 20, 30, 40};
    const auto found = [&](std::string_view text) {
        return resolve_uids(set_of(text).value(), uids).to_string();
    };
    EXPECT_EQ(found("10:25,99"), "10,20");
    EXPECT_EQ(found("99:*"), "40");
    EXPECT_EQ(found("*:1"), "10,20,30,40");
    EXPECT_EQ(found("1:4294967295"), "10,20,30,40");
    EXPECT_EQ(found("41:98"), "");
    EXPECT_EQ(resolve_uids(set_of("1:*").value(), {}).to_string(), "");
}

TEST(SequenceSet, IsRefusedWhenMalformed) {
    for (const char* text : {"", "0", "1,", ",1", "1:", ":1", "1:2:3", "a", "4294967296", "1 2"}) {
        EXPECT_FALSE(set_of(text)) << text;
    }
}

TEST(SequenceSet, HasALimitOfRanges) {
    const auto with_ranges = [](std::size_t count) {
        std::string text = "1";
        for (std::size_t i = 1; i < count; ++i) text += ",1";
        return set_of(text);
    };
    EXPECT_TRUE(with_ranges(max_sequence_ranges - 1));
    EXPECT_TRUE(with_ranges(max_sequence_ranges));
    EXPECT_FALSE(with_ranges(max_sequence_ranges + 1));
}

}  // namespace
}  // namespace postern::imap

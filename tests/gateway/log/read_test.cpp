#include "gateway/log/read.h"

#include "gateway/log/log.h"

#include <gtest/gtest.h>

namespace postern::logging {

namespace {

const std::string odd = "a \"quoted\" \\ back=slash\n\x01 \xc3\xa4 {";

std::string written(bool json) {
    const Field fields[] = {{"id", "0123"}, {"from", odd}, {"size", 42}, {"spam", false}};
    return format_line(Level::info, "message accepted", fields, 1'700'000'000'123, json);
}

}  // namespace

TEST(LogLine, BothFormatsComeBackAsTheyWent) {
    for (const bool json : {false, true}) {
        const auto line = parse_line(written(json));
        ASSERT_TRUE(line) << json;
        EXPECT_EQ(line->value("event"), "message accepted");
        EXPECT_EQ(line->value("id"), "0123");
        EXPECT_EQ(line->value("from"), odd) << json;
        EXPECT_EQ(line->value("size"), "42");
        EXPECT_EQ(line->value("spam"), "false");
        EXPECT_EQ(line->value("none"), "");
        EXPECT_EQ(line->fields.front().first, "time");
    }
}

TEST(LogLine, APrefixOfTheJournalIsLeftOut) {
    const auto line = parse_line("Nov 29 03:00:00 mx postern[12]: " + written(false));
    ASSERT_TRUE(line);
    EXPECT_EQ(line->value("id"), "0123");
}

TEST(LogLine, ForeignLinesAreNone) {
    for (const char* text : {"", "ready", "time=1 event=\"open", "time=1 word", "{\"a\":1}",
                             "{broken", "key=value"}) {
        EXPECT_FALSE(parse_line(text)) << text;
    }
}

TEST(LogLine, CutAnywhereItIsReadOrRefused) {
    for (const bool json : {false, true}) {
        const auto text = written(json);
        for (std::size_t size = 0; size < text.size(); ++size) parse_line(text.substr(0, size));
    }
}

TEST(LogLine, HasSoManyFields) {
    for (const auto count : {max_line_fields - 1, max_line_fields, max_line_fields + 1}) {
        std::string text = "time=1";
        for (std::size_t i = 1; i < count; ++i) text += " k=v";
        const auto line = parse_line(text);
        ASSERT_TRUE(line);
        EXPECT_EQ(line->fields.size(), std::min(count, max_line_fields));
    }
}

}  // namespace postern::logging

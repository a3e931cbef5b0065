#include "gateway/log/log.h"

#include <gtest/gtest.h>

#include <vector>

namespace postern::logging {
namespace {

std::string text(Fields fields) {
    return format_line(Level::info, "e", {fields.begin(), fields.size()}, 1700000000123, false);
}
std::string json(Fields fields) {
    return format_line(Level::info, "e", {fields.begin(), fields.size()}, 1700000000123, true);
}

const std::string text_head = "time=2023-11-14T22:13:20.123Z level=info event=e";
const std::string json_head = R"({"time":"2023-11-14T22:13:20.123Z","level":"info","event":"e")";

TEST(Log, KeyValueLine) {
    EXPECT_EQ(text({}), text_head);
    EXPECT_EQ(text({{"id", "a1"}, {"n", 5}, {"u", 7u}, {"ok", true}, {"score", 7.25}}),
              text_head + " id=a1 n=5 u=7 ok=true score=7.25");
    EXPECT_EQ(text({{"from", ""}, {"subject", "two words"}}),
              text_head + R"( from="" subject="two words")");
}

TEST(Log, JsonLine) {
    EXPECT_EQ(json({}), json_head + "}");
    EXPECT_EQ(json({{"id", "a1"}, {"n", -5}, {"ok", false}, {"score", 7.25}}),
              json_head + R"(,"id":"a1","n":-5,"ok":false,"score":7.25})");
}

TEST(Log, ValuesCannotInjectLinesOrFields) {
    const std::string evil = "x\r\ntime=now level=error event=\"fake\" \x1b[31m\\";
    EXPECT_EQ(text({{"helo", evil}}),
              text_head + R"( helo="x\x0d\x0atime=now level=error event=\"fake\" \x1b[31m\\")");
    EXPECT_EQ(
        json({{"helo", evil}}),
        json_head + R"(,"helo":"x\u000d\u000atime=now level=error event=\"fake\" \u001b[31m\\"})");
    EXPECT_EQ(text({{"k", "a=b"}}), text_head + R"( k="a=b")");
}

TEST(Log, Utf8IsKeptAndBrokenOrHiddenBytesAreEscaped) {
    EXPECT_EQ(text({{"k", "Grüße €"}}), text_head + " k=\"Grüße €\"");
    EXPECT_EQ(text({{"k", "\xff\xc3"}}), text_head + R"( k="\xff\xc3")");
    EXPECT_EQ(text({{"k", "\xc2\x85"}}), text_head + R"( k="\xc2\x85")");          // C1 next line
    EXPECT_EQ(text({{"k", "\xe2\x80\xae"}}), text_head + R"( k="\xe2\x80\xae")");  // bidi override
    EXPECT_EQ(text({{"k", "\xed\xa0\x80"}}), text_head + R"( k="\xed\xa0\x80")");  // surrogate
    EXPECT_EQ(text({{"k", "\xf0\x9f\x93\xa8"}}), text_head + " k=\"\xf0\x9f\x93\xa8\"");
    EXPECT_EQ(json({{"k", "\xff"}}), json_head + R"(,"k":"\u00ff"})");
}

TEST(Log, LongValuesAreCut) {
    const std::string at(max_value_bytes, 'a');
    EXPECT_EQ(text({{"k", at.substr(1)}}), text_head + " k=" + at.substr(1));
    EXPECT_EQ(text({{"k", at}}), text_head + " k=" + at);
    EXPECT_EQ(text({{"k", at + "a"}}), text_head + " k=\"" + at + "...\"");
}

TEST(Log, LevelsFilterAndRedirectTakesTheLines) {
    std::vector<std::string> lines;
    redirect([&](std::string_view line) { lines.emplace_back(line); });
    configure({Level::warning, false});
    info("quiet");
    warning("loud", {{"n", 1}});
    configure({Level::info, true});
    info("now");
    redirect({});
    configure({});
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_NE(lines[0].find(" level=warning event=loud n=1"), std::string::npos);
    EXPECT_EQ(lines[1].back(), '}');
}

TEST(Log, LevelNames) {
    EXPECT_EQ(level_of("debug"), Level::debug);
    EXPECT_EQ(level_of("warning"), Level::warning);
    EXPECT_EQ(level_of("error"), Level::error);
    EXPECT_EQ(level_of("info"), Level::info);
}

}  // namespace
}  // namespace postern::logging

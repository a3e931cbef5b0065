#include "protocols/mime/charset.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace postern::mime {
namespace {

TEST(Charset, AsciiAndUtf8Pass) {
    EXPECT_EQ(to_utf8("abc", "us-ascii"), "abc");
    EXPECT_EQ(to_utf8("", "utf-8"), "");
    EXPECT_EQ(to_utf8("é", "UTF-8"), "é");
    EXPECT_EQ(to_utf8("é", " \"utf8\" "), "é");
}

TEST(Charset, BrokenUtf8IsRepaired) {
    EXPECT_EQ(to_utf8("a\xC3", "utf-8"), "a\uFFFD");
    EXPECT_EQ(to_utf8("\xC0\x80", "utf-8"), "\uFFFD\uFFFD");
    EXPECT_EQ(to_utf8("\xED\xA0\x80", "utf-8"), "\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(to_utf8("\xF4\x90\x80\x80x", "utf-8"), "\uFFFD\uFFFD\uFFFD\uFFFDx");
}

TEST(Charset, WesternLabelsMeanWindows1252) {
    EXPECT_EQ(to_utf8("\xE9\x80\x93", "ISO-8859-1"), "é€“");
    EXPECT_EQ(to_utf8("\xE9", "latin1"), "é");
    EXPECT_EQ(to_utf8("\x81", "windows-1252"), "\u0081");
}

TEST(Charset, UnlabelledIsGuessed) {
    for (const std::string label : {"", "us-ascii", "unknown-8bit", "x-unknown", "no-such-charset",
                                    "a,b=c", "../../etc", "utf 8"}) {
        EXPECT_EQ(to_utf8("\xC3\xA9", label), "é") << label;
        EXPECT_EQ(to_utf8("\xE9", label), "é") << label;
    }
    EXPECT_EQ(to_utf8("\xE9", std::string(1000, 'x')), "é");
}

TEST(Charset, LabelsThroughIcu) {
    EXPECT_EQ(to_utf8("\xCF\xF0\xE8", "windows-1251"), "При");
    EXPECT_EQ(to_utf8("\xF0\xD2\xC9", "KOI8-R"), "При");
    EXPECT_EQ(to_utf8("\x93\xFA\x96\x7B", "Shift_JIS"), "日本");
    EXPECT_EQ(to_utf8("\x1B$BF|K\\\x1B(B ok", "iso-2022-jp"), "日本 ok");
    EXPECT_EQ(to_utf8("\xC6\xFC\xCB\xDC", "euc-jp"), "日本");
    EXPECT_EQ(to_utf8("\xD6\xD0", "GB2312"), "中");
    EXPECT_EQ(to_utf8("\xD6\xD0", "gbk"), "中");
    EXPECT_EQ(to_utf8("\xA4\xA4", "big5"), "中");
    EXPECT_EQ(to_utf8("\xC7\xD1", "ks_c_5601-1987"), "한");
    EXPECT_EQ(to_utf8("+AOk-", "utf-7"), "é");
    EXPECT_EQ(to_utf8(std::string("\0a\0b", 4), "utf-16be"), "ab");
    EXPECT_EQ(to_utf8("\xA4", "iso-8859-15"), "€");
}

TEST(Charset, KnowsWhichLabelsItDoesNotGuess) {
    for (const char* known : {"us-ascii", "UTF-8", "ISO-8859-1", "koi8-r", "cp437", "x-sjis"}) {
        EXPECT_TRUE(is_known_charset(known)) << known;
    }
    for (const char* unknown : {"", "x-nonsense", "unknown-8bit", "default", "utf-8,swaplfnl"}) {
        EXPECT_FALSE(is_known_charset(unknown)) << unknown;
    }
    EXPECT_FALSE(is_known_charset(std::string(1000, 'x')));
}

TEST(Charset, Utf16GoesByItsMark) {
    using namespace std::string_view_literals;
    EXPECT_EQ(to_utf8("\xFE\xFF\0a"sv, "utf-16"), "a");
    EXPECT_EQ(to_utf8("\xFF\xFE"
                      "a\0"sv,
                      "utf-16"),
              "a");
    EXPECT_EQ(to_utf8("\xFF\xFE"
                      "a\0"sv,
                      "utf-16be"),
              "a");
    EXPECT_EQ(to_utf8("a\0"sv, "utf-16"), "a");
    EXPECT_EQ(to_utf8("\0a"sv, "utf-16be"), "a");
    EXPECT_EQ(to_utf8("a\0b"sv, "utf-16"), "a\uFFFD");
}

TEST(Charset, BrokenMultibyteIsReplaced) {
    const std::string text = to_utf8("ok \xFF\xFF ok\x93", "shift_jis");
    EXPECT_TRUE(is_utf8(text));
    EXPECT_NE(text.find("\uFFFD"), std::string::npos);
    EXPECT_TRUE(text.starts_with("ok "));
}

TEST(Charset, LongTextAndManyConverters) {
    std::string source;
    for (int i = 0; i < 50'000; ++i) source += "\xCF\xF0\xE8";
    EXPECT_EQ(to_utf8(source, "windows-1251").size(), 300'000u);
    for (int i = 1; i <= 16; ++i) to_utf8("\xE1", "iso-8859-" + std::to_string(i));
    for (int i = 1250; i <= 1258; ++i) to_utf8("\xE1", "windows-" + std::to_string(i));
    EXPECT_EQ(to_utf8("\xCF\xF0\xE8", "windows-1251"), "При");
}

TEST(Charset, ThreadsHaveTheirOwnConverters) {
    std::thread other([] { EXPECT_EQ(to_utf8("\xF0\xD2\xC9", "koi8-r"), "При"); });
    EXPECT_EQ(to_utf8("\xF0\xD2\xC9", "koi8-r"), "При");
    other.join();
}

TEST(Utf8, Prefix) {
    EXPECT_EQ(utf8_prefix("aé", 3), "aé");
    EXPECT_EQ(utf8_prefix("aé", 2), "a");
    EXPECT_EQ(utf8_prefix("aé", 1), "a");
    EXPECT_EQ(utf8_prefix("a😀", 4), "a");
    EXPECT_EQ(utf8_prefix("\x80\x80\x80\x80\x80\x80", 5).size(), 2u);
    EXPECT_EQ(utf8_prefix("", 0), "");
}

TEST(Utf8, Append) {
    std::string out;
    for (const char32_t c : {U'a', U'é', U'€', U'😀', char32_t{0xD800}, char32_t{0x110000}}) {
        append_utf8(out, c);
    }
    EXPECT_EQ(out, "aé€😀\uFFFD\uFFFD");
}

TEST(Utf8, AsciiAcrossWordBorders) {
    for (std::size_t size = 0; size < 20; ++size) {
        std::string text(size, 'a');
        EXPECT_TRUE(is_ascii(text));
        if (size == 0) continue;
        text.back() = '\x80';
        EXPECT_FALSE(is_ascii(text));
        EXPECT_FALSE(is_utf8(text));
    }
}

}  // namespace
}  // namespace postern::mime

#include "filters/translate/perl_pattern.h"

namespace postern::filters {
namespace {

std::string translated(const std::string& text, Target target = Target::header) {
    const auto perl = read_perl_pattern(text);
    if (!perl) return "! " + perl.error().text;
    const auto made = translate_pattern(*perl, target);
    if (!made) return "! " + made.error().text;
    return made->pattern + (made->caseless ? " caseless" : "") +
           (made->changes.empty() ? "" : " [" + made->changes + "]");
}

TEST(ReadPerlPattern, EveryDelimiter) {
    for (const char* text : {"/a.b/i", "m/a.b/i", "m{a.b}i", "m(a.b)i", "m<a.b>i", "m[a.b]i",
                             "m,a.b,i", "m!a.b!i", "m#a.b#i", "m|a.b|i", "m%a.b%i"}) {
        const auto perl = read_perl_pattern(text);
        ASSERT_TRUE(perl.has_value()) << text;
        EXPECT_EQ(perl->body, "a.b") << text;
        EXPECT_EQ(perl->flags, "i") << text;
    }
    EXPECT_EQ(read_perl_pattern("m{a{2}}")->body, "a{2}");
    EXPECT_EQ(read_perl_pattern("/a\\/b/")->body, "a\\/b");
}

TEST(ReadPerlPattern, Refuses) {
    for (const char* text : {"", "/", "abc", "m", "/abc", "/abc/iq", "mabcm", "m{abc"}) {
        EXPECT_FALSE(read_perl_pattern(text).has_value()) << text;
    }
}

TEST(TranslatePattern, PlainOnesStayAsTheyAre) {
    EXPECT_EQ(translated("/free money/"), "free money");
    EXPECT_EQ(translated("/\\bfr[e3]{2,4}\\b/i"), "\\bfr[e3]{2,4}\\b caseless");
    EXPECT_EQ(translated("m{^https?://[^/]+\\.example/}"), "^https?://[^/]+\\.example/");
    EXPECT_EQ(translated("/[[:digit:]]x|[^]]y/"), "[[:digit:]]x|[^\\]]y");
}

TEST(TranslatePattern, EscapesThatNobodyNeedsGo) {
    EXPECT_EQ(translated("/a\\/b\\@c\\!/"), "a/b@c!");
    EXPECT_EQ(translated("/\\$\\.\\\\/"), "\\$\\.\\\\");
}

TEST(TranslatePattern, BytesBeyondAsciiAreWrittenAsEscapes) {
    EXPECT_EQ(translated("/caf\xC3\xA9/"), "caf\\xc3\\xa9");
    EXPECT_EQ(translated("/[\xE9]\t/"), "[\\xe9]\\x09");
    EXPECT_EQ(translated("/\\x{e9}\\x{20ac}z\\x{41}/"), "(?:\\xc3\\xa9)(?:\\xe2\\x82\\xac)z\\x41");
}

TEST(TranslatePattern, FlagsBecomeModifiers) {
    EXPECT_EQ(translated("/a.b/s"), "(?s)a.b");
    EXPECT_EQ(translated("/^a b/mix"), "(?mx)^a b caseless");
    // Where lines would match, and Perl means the whole.
    EXPECT_EQ(translated("/^a/", Target::raw), "(?-m)^a");
    EXPECT_EQ(translated("/^a/m", Target::head), "(?m)^a");
    EXPECT_EQ(translated("/^a/", Target::body), "^a");
}

TEST(TranslatePattern, WhatDiffersIsSaid) {
    EXPECT_EQ(translated("/a++b*+c?+/"), "a+b*c? [possessive repeats made plain]");
    EXPECT_EQ(translated("/(?>ab|a)c/"), "(?:ab|a)c [atomic groups made plain]");
    EXPECT_EQ(translated("/a.*b\\S+c(?:de)+/", Target::body),
              "a.{0,200}b\\S{1,201}c(?:de){1,21} [repeats got a bound]");
    EXPECT_EQ(translated("/a.*?b[^x]{3,}/", Target::body),
              "a.{0,200}?b[^x]{3,203} [repeats got a bound]");
    EXPECT_EQ(translated("/a.*b\\s+/"), "a.*b\\s+");
}

TEST(TranslatePattern, PlusAfterABraceThatIsNoRepeatIsARepeat) {
    EXPECT_EQ(translated("/\\}+/"), "\\}+");
    EXPECT_EQ(translated("/a{2}+/"), "a{2} [possessive repeats made plain]");
    EXPECT_EQ(translated("/[+]+/"), "[+]+");
}

TEST(TranslatePattern, RemarksAndNamesGo) {
    EXPECT_EQ(translated("/a(?#remark)b(?<name>c)(?P<n>d)/"), "ab(?:c)(?:d)");
    EXPECT_EQ(translated("/(?^:a)(?i:b)/"), "(?:a)(?i:b)");
}

TEST(TranslatePattern, WhatHyperscanHasNotIsRefused) {
    for (const char* text : {"/a(?=b)/", "/a(?!b)/", "/(?<=a)b/", "/(?<!a)b/"}) {
        EXPECT_EQ(translated(text), "! look-around is not in Hyperscan's subset") << text;
    }
    EXPECT_EQ(translated("/(a)\\1/"), "! back references are not in Hyperscan's subset");
    EXPECT_EQ(translated("/(?<n>a)\\k<n>/"), "! \\k is not in Hyperscan's subset");
    EXPECT_EQ(translated("/(?{ system 'x' })/"), "! it runs Perl code");
    EXPECT_EQ(translated("/(a)(?(1)b)/"), "! conditions are not in Hyperscan's subset");
    EXPECT_EQ(translated("/a\\/"), "! it ends in a backslash");
    EXPECT_EQ(translated("/\\x{zz}/"), "! an unreadable \\x{...}");
}

TEST(TranslatePattern, BrokenOnesDoNotHurt) {
    for (const char* body : {"(", "(?", "(?<", "(?#", "[", "[^", "[[:", "\\x{", "\\", "{", "}+"}) {
        (void)translate_pattern({body, ""}, Target::body);
        (void)translate_pattern({body, "x"}, Target::header);
    }
}

}  // namespace
}  // namespace postern::filters

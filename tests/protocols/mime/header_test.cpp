#include "protocols/mime/header.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace postern::mime {
namespace {

TEST(Unfold, DropsLineEndsAndTrims) {
    EXPECT_EQ(unfold("  a\r\n b\r\n\tc \r\n"), "a b\tc");
    EXPECT_EQ(unfold(" plain "), "plain");
    EXPECT_EQ(unfold(""), "");
}

TEST(DecodeWords, QAndB) {
    EXPECT_EQ(decode_words("=?iso-8859-1?Q?Andr=E9?="), "André");
    EXPECT_EQ(decode_words("=?UTF-8?b?QW5kcsOp?="), "André");
    EXPECT_EQ(decode_words("=?utf-8?q?a_b=5F?="), "a b_");
    EXPECT_EQ(decode_words("=?iso-8859-1*fr?q?=E9?="), "é");
    EXPECT_EQ(decode_words("=?utf-8?Q?"
                           "?="),
              "");
}

TEST(DecodeWords, AdjacentWordsLoseTheSpaceBetween) {
    EXPECT_EQ(decode_words("=?utf-8?q?a?= =?utf-8?q?b?="), "ab");
    EXPECT_EQ(decode_words("=?utf-8?q?a?= \t =?iso-8859-1?q?=E9?="), "aé");
    EXPECT_EQ(decode_words("=?utf-8?q?a?= x =?utf-8?q?b?="), "a x b");
    EXPECT_EQ(decode_words("x =?utf-8?q?a?= y"), "x a y");
}

TEST(DecodeWords, CharacterCutBetweenWords) {
    EXPECT_EQ(decode_words("=?utf-8?B?w?= =?utf-8?B?6Q==?="), decode_words("=?utf-8?B?6Q==?="));
    EXPECT_EQ(decode_words("=?utf-8?Q?=C3?= =?UTF-8?Q?=A9?="), "é");
}

TEST(DecodeWords, WordsWithEscapesStandAlone) {
    EXPECT_EQ(decode_words("=?iso-2022-jp?B?GyRCRnwbKEI=?= =?iso-2022-jp?B?GyRCS1wbKEI=?="),
              "日本");
}

TEST(DecodeWords, WordsWithinText) {
    EXPECT_EQ(decode_words("a=?utf-8?q?b?=c"), "abc");
    EXPECT_EQ(decode_words("\"=?utf-8?q?b?=\""), "\"b\"");
    EXPECT_EQ(decode_words("=?iso-8859-1?Q?a b?="), "a b");
}

TEST(DecodeWords, BrokenOnesStay) {
    for (const std::string text : {"=?", "=?utf-8", "=?utf-8?", "=?utf-8?q", "=?utf-8?q?",
                                   "=?utf-8?q?abc", "=?utf-8?x?a?=", "=?utf-8?b?!!!?=",
                                   "=?"
                                   "?q?a?=",
                                   "?=", "=?utf-8?qq?a?="}) {
        EXPECT_EQ(decode_words(text), text);
    }
    EXPECT_EQ(decode_words("=?utf-8?q?=zz=4?="), "=zz=4");
    EXPECT_EQ(decode_words("=?utf-8?x?a?= =?utf-8?q?b?="), "=?utf-8?x?a?= b");
}

TEST(DecodeWords, RawEightBit) {
    EXPECT_EQ(decode_words("Andr\xC3\xA9"), "André");
    EXPECT_EQ(decode_words("Andr\xE9 \x80"), "André €");
    EXPECT_EQ(decode_words("\xE9 =?utf-8?q?=C3=A9?="), "é é");
}

TEST(DecodeWords, ManyBrokenWordsCostLinearTime) {
    std::string unclosed, invalid;
    for (int i = 0; i < 200'000; ++i) {
        unclosed += "=?a?q?x";
        invalid += "=?a?b?AAAA";
    }
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(decode_words(unclosed) == unclosed);
    EXPECT_TRUE(decode_words(invalid + "?=").starts_with(invalid.substr(0, invalid.size() - 10)));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(EncodeWords, RoundTripAndWordSize) {
    EXPECT_EQ(encode_words("plain"), "plain");
    std::string text;
    for (int i = 0; i < 60; ++i) text += "äöü€ ";
    const std::string encoded = encode_words(text);
    EXPECT_EQ(decode_words(encoded), text);
    std::size_t begin = 0;
    while (begin < encoded.size()) {
        const std::size_t end = std::min(encoded.find(' ', begin), encoded.size());
        EXPECT_LE(end - begin, 75u);
        begin = end + 1;
    }
}

std::string parameter(std::string_view value, std::string_view name) {
    const std::vector<Parameter> joined = join_parameters(raw_parameters(value));
    const std::string* found = find_parameter(joined, name);
    return found == nullptr ? "(none)" : *found;
}

TEST(Parameters, PlainForms) {
    EXPECT_EQ(parameter("text/plain; Charset=\"utf-8\"", "charset"), "utf-8");
    EXPECT_EQ(parameter("text/plain;charset=us-ascii (Plain; text)", "charset"), "us-ascii");
    EXPECT_EQ(parameter("text/plain; a=1;; ; b = 2 ;", "b"), "2");
    EXPECT_EQ(parameter("a; name=my file.txt ", "name"), "my file.txt");
    EXPECT_EQ(parameter("a; name=my file.txt size=3", "name"), "my file.txt");
    EXPECT_EQ(parameter("a; name=my file.txt size=3", "size"), "3");
    EXPECT_EQ(parameter("a; flag; b=1", "b"), "1");
    EXPECT_EQ(parameter("a (;x=1); b=2", "x"), "(none)");
    EXPECT_EQ(parameter("text/plain", "charset"), "(none)");
    EXPECT_EQ(parameter("a; x=", "x"), "");
}

TEST(Parameters, Quoting) {
    EXPECT_EQ(parameter(R"(a; n="x;y \"z\" \\ C:\dir")", "n"), R"(x;y "z" \ C:\dir)");
    EXPECT_EQ(parameter("a; n=\"long\r\n name\"; m=1", "n"), "long name");
    EXPECT_EQ(parameter("a; n=\"open; m=1", "n"), "open; m=1");
    EXPECT_EQ(parameter("a; n=\"x\" m=\"y\"", "m"), "y");
    EXPECT_EQ(parameter("a; n=\"x\"junk; m=y", "m"), "y");
}

TEST(Parameters, Rfc2231) {
    EXPECT_EQ(parameter("a; n*=utf-8'en'%e2%82%ac%20rates", "n"), "€ rates");
    EXPECT_EQ(parameter("a; n*=iso-8859-1''%E9", "n"), "é");
    EXPECT_EQ(parameter("a; n*0=ab; n*1=cd", "n"), "abcd");
    EXPECT_EQ(parameter("a; n*1=cd; n*0=ab", "n"), "abcd");
    EXPECT_EQ(parameter("a; n*0*=utf-8''%C3; n*1*=%A9; n*2=\"%41\"", "n"), "é%41");
    EXPECT_EQ(parameter("a; n=old; n*=utf-8''new", "n"), "new");
    EXPECT_EQ(parameter("a; n*=bare", "n"), "bare");
    EXPECT_EQ(parameter("a; n*=utf-8''%zz%4", "n"), "%zz%4");
    EXPECT_EQ(parameter("a; n*99999999999=x; m=1", "m"), "1");
    EXPECT_EQ(parameter("a; *=x; **=y; *0*=z; m=1", "m"), "1");
}

TEST(Parameters, EncodedWordsAndRawBytesInValues) {
    EXPECT_EQ(parameter("a; n=\"=?utf-8?q?=C3=A9.txt?=\"", "n"), "é.txt");
    EXPECT_EQ(parameter("a; n=\"\xE9.txt\"", "n"), "é.txt");
}

TEST(Parameters, CountIsBounded) {
    for (const std::size_t count : {max_parameters - 1, max_parameters, max_parameters + 1}) {
        std::string value = "a/b";
        for (std::size_t i = 0; i < count; ++i) value += "; p" + std::to_string(i) + "=1";
        EXPECT_EQ(raw_parameters(value).size(), std::min(count, max_parameters));
    }
}

}  // namespace
}  // namespace postern::mime

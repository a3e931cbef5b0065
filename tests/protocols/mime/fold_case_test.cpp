#include "protocols/mime/fold_case.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::mime {
namespace {

TEST(FoldCase, MakesEqualWhatAPersonCallsTheSame) {
    EXPECT_EQ(fold_case("Re: Straße"), fold_case("RE: STRASSE"));
    EXPECT_EQ(fold_case("\xC3\x84"), fold_case("A\xCC\x88"));
}

TEST(Casemap, LettersComeBeforeTheSignsThatFollowCapitals) {
    EXPECT_EQ(casemap("plain Text_[1]"), "PLAIN TEXT_[1]");
    EXPECT_LT(casemap("z"), casemap("[list]"));
    EXPECT_LT(casemap("z"), casemap("_"));
    EXPECT_LT(casemap("1"), casemap("a"));
    EXPECT_EQ(casemap(""), "");
}

TEST(Casemap, TakesLettersApartSoThatAccentsComeAfterTheirLetter) {
    EXPECT_EQ(casemap("\xC3\xA4rger"), "A\xCC\x88RGER");
    EXPECT_EQ(casemap("\xC3\x84"), casemap("a\xCC\x88"));
    EXPECT_LT(casemap("\xC3\xA4"), casemap("b"));
    EXPECT_EQ(casemap("\xCE\xB1"), "\xCE\x91");                  // Greek
    EXPECT_EQ(casemap("\xF0\x90\x90\xA8"), "\xF0\x90\x90\x80");  // Deseret, past 16 bits
}

TEST(Casemap, TitleCaseOfDigraphs) {
    EXPECT_EQ(casemap("\xC7\x86"), "Dz\xCC\x8C");  // as in RFC 5051 section 2
    EXPECT_EQ(casemap("\xC7\x84"), casemap("\xC7\x86"));
}

TEST(Casemap, IllFormedBytesBecomeTheReplacementCharacter) {
    EXPECT_EQ(casemap("a\xFF"), "A\xEF\xBF\xBD");
}

}  // namespace
}  // namespace postern::mime

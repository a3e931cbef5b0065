#include "store/fulltext/runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace postern::fulltext {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RunsTest, SeparatorsEndRuns) {
    const auto runs = runs_of("grüße, an ann@example.org\xE2\x80\x94x");
    EXPECT_THAT(runs.runs, ElementsAre("grüße", "an", "ann", "example", "org", "x"));
    EXPECT_TRUE(runs.begins_open);
    EXPECT_TRUE(runs.ends_open);
    EXPECT_FALSE(runs_of(" a").begins_open);
    EXPECT_FALSE(runs_of("a ").ends_open);
    EXPECT_THAT(runs_of("").runs, IsEmpty());
    EXPECT_THAT(runs_of(" -- ").runs, IsEmpty());
}

TEST(RunsTest, BytesThatAreNoUtf8) {
    EXPECT_THAT(runs_of("a \xC3").runs, ElementsAre("a", "\xC3"));
    EXPECT_EQ(points("\xE2\x82"), 2);
}

TEST(RunsTest, WordsAndOthers) {
    EXPECT_TRUE(is_word("rechnung"));
    EXPECT_TRUE(is_word("größe"));
    EXPECT_TRUE(is_word("2026"));
    EXPECT_FALSE(is_word("日本語"));
    EXPECT_FALSE(is_word("กขค"));
    const auto length = [](std::size_t n, char c) { return std::string(n, c); };
    EXPECT_TRUE(is_word(length(max_word_points - 1, 'x')));
    EXPECT_TRUE(is_word(length(max_word_points, 'x')));
    EXPECT_FALSE(is_word(length(max_word_points + 1, 'x')));
    EXPECT_TRUE(is_word(length(max_mixed_word_points - 1, '7')));
    EXPECT_TRUE(is_word(length(max_mixed_word_points, '7')));
    EXPECT_FALSE(is_word(length(max_mixed_word_points + 1, '7')));
}

TEST(RunsTest, GramsBeginAtEachCharacter) {
    EXPECT_THAT(grams_of("東京都庁"), ElementsAre("東京都", "京都庁", "都庁", "庁"));
    EXPECT_THAT(grams_of("ab"), ElementsAre("ab", "b"));
}

}  // namespace
}  // namespace postern::fulltext

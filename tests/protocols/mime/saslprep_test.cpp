#include "protocols/mime/saslprep.h"

#include <gtest/gtest.h>

namespace postern::mime {
namespace {

TEST(Saslprep, TheExamplesOfTheRfc) {
    EXPECT_EQ(saslprep("I\xc2\xadX"), "IX");
    EXPECT_EQ(saslprep("user"), "user");
    EXPECT_EQ(saslprep("USER"), "USER");
    EXPECT_EQ(saslprep("\xc2\xaa"), "a");
    EXPECT_EQ(saslprep("\xe2\x85\xa8"), "IX");
}

TEST(Saslprep, OneFormForWhatLooksAlike) {
    EXPECT_EQ(saslprep("u\xcc\x88"), "\xc3\xbc");
    EXPECT_EQ(saslprep("a\xc2\xa0z"), "a z");
    EXPECT_EQ(saslprep("\xef\xb7\xba").size(), 33u) << "one that becomes 18";
    EXPECT_EQ(saslprep("\xc2\xad"), "");
}

TEST(Saslprep, WhatTheProfileDoesNotAllowStays) {
    EXPECT_EQ(saslprep("\x07"), "\x07");
    EXPECT_EQ(saslprep("\xff"), "\xff");
    EXPECT_EQ(saslprep("\xd8\xa7" "1"), "\xd8\xa7" "1") << "right to left, then a digit";
    EXPECT_EQ(saslprep("a\xee\x80\x80"), "a\xee\x80\x80") << "private use";
    EXPECT_EQ(saslprep(""), "");
}

}  // namespace
}  // namespace postern::mime

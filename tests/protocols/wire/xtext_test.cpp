#include "protocols/wire/xtext.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

TEST(Xtext, BothWays) {
    EXPECT_EQ(xtext_encode("a+b=c d\n\xff"), "a+2Bb+3Dc+20d+0A+FF");
    EXPECT_EQ(xtext_decode("a+2Bb+3Dc+20d+0A+ff"), "a+b=c d\n\xff");
    EXPECT_EQ(xtext_decode(""), "");
}

TEST(Xtext, WhatIsNoneIsRefused) {
    for (const char* text : {"+", "+2", "+2g", "a b", "a=b", "\xc3\xb6", "a\n"}) {
        EXPECT_FALSE(xtext_decode(text)) << text;
    }
}

}  // namespace
}  // namespace postern::wire

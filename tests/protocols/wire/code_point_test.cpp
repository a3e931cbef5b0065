#include "protocols/wire/code_point.h"

#include <gtest/gtest.h>

#include <vector>

namespace postern::wire {
namespace {

std::vector<char32_t> all(std::string_view utf8) {
    std::vector<char32_t> out;
    for (std::size_t at = 0; at < utf8.size();) out.push_back(next_code_point(utf8, at));
    return out;
}

TEST(CodePoint, OneAfterAnother) {
    EXPECT_EQ(all("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x93\xAB"),
              (std::vector<char32_t>{'a', 0xE4, 0x20AC, 0x1F4EB}));
}

TEST(CodePoint, WhatIsCutEnds) {
    EXPECT_EQ(all("\xF0\x9F").size(), 1u);
    EXPECT_EQ(all("\x80\x80").size(), 1u);
}

}  // namespace
}  // namespace postern::wire

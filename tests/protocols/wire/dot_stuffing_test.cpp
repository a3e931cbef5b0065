#include "protocols/wire/dot_stuffing.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::wire {
namespace {

using Flaw = DotUnstuffer::Flaw;
constexpr std::size_t line_limit = 100;

struct Unstuffed {
    std::string text;
    bool ended = false;
    std::size_t consumed = 0;
    Flaw flaw = Flaw::none;
};

Unstuffed unstuff(const std::string& input, std::size_t piece_bytes) {
    Unstuffed result;
    DotUnstuffer unstuffer(line_limit);
    while (result.consumed < input.size() && !result.ended) {
        const auto progress = unstuffer.read(
            std::string_view(input).substr(result.consumed, piece_bytes), result.text);
        result.consumed += progress.consumed;
        result.ended = progress.ended;
    }
    result.flaw = unstuffer.flaw();
    return result;
}

std::string stuff(const std::string& text, std::size_t piece_bytes) {
    std::string out;
    DotStuffer stuffer;
    for (std::size_t pos = 0; pos < text.size(); pos += piece_bytes) {
        stuffer.write(std::string_view(text).substr(pos, piece_bytes), out);
    }
    stuffer.finish(out);
    return out;
}

TEST(DotUnstuffer, GoodTextsWholeAndInPieces) {
    const std::pair<std::string, std::string> cases[] = {
        {".\r\n", ""},
        {"\r\n.\r\n", "\r\n"},
        {"a\r\n.\r\n", "a\r\n"},
        {"..\r\n.\r\n", ".\r\n"},
        {".a\r\n.\r\n", "a\r\n"},
        {"a\r\n..b\r\n...\r\nc.\r\n.\r\n", "a\r\n.b\r\n..\r\nc.\r\n"},
        {std::string("nul\0\x80\xff\r\n.\r\n", 11), std::string("nul\0\x80\xff\r\n", 8)},
    };
    for (const auto& [wire, text] : cases) {
        for (std::size_t piece = 1; piece <= wire.size() + 5; ++piece) {
            const Unstuffed got = unstuff(wire + "QUIT\r\n", piece);
            EXPECT_EQ(got.text, text) << "pieces of " << piece;
            EXPECT_TRUE(got.ended);
            EXPECT_EQ(got.consumed, wire.size());
            EXPECT_EQ(got.flaw, Flaw::none);
        }
    }
}

// Each of these ends the data for some server or other. Here none does, and all are flaws.
TEST(DotUnstuffer, OddEndsAreNoEnds) {
    const std::pair<std::string, Flaw> cases[] = {
        {"\n.\n", Flaw::bare_lf},         {"\n.\r\n", Flaw::bare_lf},
        {"\r\n.\n", Flaw::bare_lf},       {"\r.\r", Flaw::bare_cr},
        {"\r.\r\n", Flaw::bare_cr},       {"\r\n.\r", Flaw::bare_cr},
        {"\r\r\n.\r\r\n", Flaw::bare_cr}, {"\r\n\r.\r\n", Flaw::bare_cr},
        {"\r\n.\r\r\n", Flaw::bare_cr},   {"\n\r.\r\n", Flaw::bare_lf},
        {"\n.\r", Flaw::bare_lf},         {"\r.\n", Flaw::bare_lf},
        {"\r\n.\n\r", Flaw::bare_lf},
    };
    for (const auto& [odd, flaw] : cases) {
        const std::string wire = "a" + odd + "MAIL FROM:<x@y>\r\n.\r\n";
        for (std::size_t piece = 1; piece <= wire.size() + 6; ++piece) {
            const Unstuffed got = unstuff(wire + "QUIT\r\n", piece);
            EXPECT_TRUE(got.ended);
            EXPECT_EQ(got.consumed, wire.size()) << "pieces of " << piece;
            EXPECT_EQ(got.flaw, flaw) << "pieces of " << piece;
        }
    }
}

TEST(DotUnstuffer, NulInTheTerminatorIsText) {
    const std::string wire("a\r\n.\0\r\n.\r\n", 10);
    const Unstuffed got = unstuff(wire, wire.size());
    EXPECT_EQ(got.text, std::string("a\r\n\0\r\n", 6));
    EXPECT_EQ(got.consumed, wire.size());
}

TEST(DotUnstuffer, LineLimit) {
    for (const std::size_t kept : {line_limit - 1, line_limit, line_limit + 1}) {
        const std::string line(kept - 2, 'x');
        const Flaw expected = kept > line_limit ? Flaw::line_too_long : Flaw::none;
        for (std::size_t piece :
             {std::size_t{1}, std::size_t{7}, kept - 2, kept - 1, kept, 2 * kept}) {
            EXPECT_EQ(unstuff("ok\r\n" + line + "\r\nok\r\n.\r\n", piece).flaw, expected);
            EXPECT_EQ(unstuff(".." + line.substr(1) + "\r\n.\r\n", piece).flaw, expected);
        }
    }
}

TEST(DotStuffer, WhatTheWireNeeds) {
    const std::pair<std::string, std::string> cases[] = {
        {"", ".\r\n"},
        {"a", "a\r\n.\r\n"},
        {"a\r\n", "a\r\n.\r\n"},
        {".\r\n..\r\n", "..\r\n...\r\n.\r\n"},
        {"a\n.b\nc", "a\r\n..b\r\nc\r\n.\r\n"},
        {"\n\n", "\r\n\r\n.\r\n"},
        {"a\r.b\r\n", "a\r.b\r\n.\r\n"},
        {"a\r", "a\r\r\n.\r\n"},
        {"a\r\n.\n..b\r\n\n.", "a\r\n..\r\n...b\r\n\r\n..\r\n.\r\n"},
    };
    for (const auto& [text, wire] : cases) {
        for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
            EXPECT_EQ(stuff(text, piece), wire) << "pieces of " << piece;
        }
    }
}

}  // namespace
}  // namespace postern::wire

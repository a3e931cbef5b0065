#include "gateway/net/deflate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace postern::net {
namespace {

std::string inflated(Deflate& peer, const std::string& bytes, bool& good, std::size_t cut = 0) {
    std::string out;
    const auto take = [&](std::string_view piece) {
        out += piece;
        return true;
    };
    good = true;
    const std::size_t step = cut == 0 ? bytes.size() : cut;
    for (std::size_t at = 0; at < bytes.size() && good; at += step) {
        good = peer.inflate(std::string_view(bytes).substr(at, step), take);
    }
    return out;
}

std::string deflated(Deflate& here, const std::string& text) {
    std::string bytes = here.deflate(text);
    return bytes + here.finish_piece();
}

TEST(Deflate, GivesBackWhatWentIn) {
    std::mt19937 random(1);
    std::string noise;
    for (int i = 0; i < 100'000; ++i) noise += static_cast<char>(random());
    for (const std::string& text : {std::string("a NOOP\r\n"), std::string(200'000, 'x'), noise}) {
        for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{977}}) {
            Deflate here, there;
            bool good = false;
            std::string bytes = here.deflate(text);
            bytes += here.finish_piece();
            const std::string first = inflated(there, bytes, good, cut);
            ASSERT_TRUE(good);
            EXPECT_EQ(first, text);
            EXPECT_EQ(inflated(there, deflated(here, "more"), good), "more");
            EXPECT_TRUE(good);
        }
    }
}

TEST(Deflate, APieceCanBeReadBeforeTheNextIsWritten) {
    Deflate here, there;
    bool good = false;
    for (int i = 0; i < 100; ++i) {
        const std::string text = "line " + std::to_string(i) + "\r\n";
        EXPECT_EQ(inflated(there, deflated(here, text), good), text);
    }
}

TEST(Deflate, RefusesNonsense) {
    Deflate there;
    bool good = true;
    inflated(there, std::string(100, '\xff'), good);
    EXPECT_FALSE(good);
}

// A bomb comes out as slowly as whoever takes it wants, in whatever pieces it went in.
TEST(Deflate, GivesNoMoreThanIsWanted) {
    const std::string plain(10'000'000, '\0');
    Deflate here;
    const std::string bomb = deflated(here, plain);
    for (const std::size_t cut : {bomb.size(), std::size_t{1}, std::size_t{100}}) {
        Deflate there;
        std::size_t got = 0, calls = 0;
        const auto take = [&](std::string_view piece) {
            EXPECT_LE(piece.size(), inflate_piece_bytes);
            got += piece.size();
            ++calls;
            return false;
        };
        for (std::size_t at = 0; at < bomb.size() || there.waiting(); at += cut) {
            const std::size_t calls_before = calls;
            const std::size_t from = std::min(at, bomb.size());
            ASSERT_TRUE(there.inflate(std::string_view(bomb).substr(from, cut), take));
            EXPECT_LE(calls, calls_before + 1);
        }
        EXPECT_EQ(got, plain.size());
        EXPECT_FALSE(there.waiting());
    }
}

}  // namespace
}  // namespace postern::net

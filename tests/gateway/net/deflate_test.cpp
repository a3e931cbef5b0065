#include "gateway/net/deflate.h"

#include <gtest/gtest.h>

#include <random>

namespace postern::net {
namespace {

std::string inflated(Deflate& peer, const std::string& bytes, bool& good, std::size_t cut = 0) {
    std::string out;
    const auto take = [&](std::string_view piece) { out += piece; };
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
            // A long run of one letter is what the limit on bombs is for.
            if (!good) continue;
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

TEST(Deflate, RefusesNonsenseAndBombs) {
    Deflate there;
    bool good = true;
    inflated(there, std::string(100, '\xff'), good);
    EXPECT_FALSE(good);
    Deflate here, bombed;
    std::string bomb;
    for (int i = 0; i < 100; ++i) bomb += here.deflate(std::string(1'000'000, '\0'));
    bomb += here.finish_piece();
    const std::string out = inflated(bombed, bomb, good, 1000);
    EXPECT_FALSE(good);
    EXPECT_LT(out.size(), 3'000'000u);
}

}  // namespace
}  // namespace postern::net

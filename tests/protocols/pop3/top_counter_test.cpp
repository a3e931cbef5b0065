#include "protocols/pop3/top_counter.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::pop3 {
namespace {

std::string top(const std::string& message, std::uint64_t lines, std::size_t piece_bytes) {
    TopCounter counter(lines);
    std::string out;
    for (std::size_t pos = 0; pos < message.size() && !counter.done(); pos += piece_bytes) {
        const std::string piece = message.substr(pos, piece_bytes);
        out += piece.substr(0, counter.take(piece));
    }
    return out;
}

TEST(TopCounter, HeaderEmptyLineAndSoManyLines) {
    const std::string message = "A: 1\r\nB: 2\r\n\r\n1\r\n\r\n3\r\n4";
    const std::string header = "A: 1\r\nB: 2\r\n\r\n";
    const std::string expected[] = {
        header,  header + "1\r\n", header + "1\r\n\r\n", header + "1\r\n\r\n3\r\n",
        message, message};
    for (std::size_t piece = 1; piece <= message.size(); ++piece) {
        for (std::uint64_t lines = 0; lines < std::size(expected); ++lines) {
            EXPECT_EQ(top(message, lines, piece), expected[lines]) << lines << " by " << piece;
        }
    }
}

TEST(TopCounter, OddMessages) {
    for (std::size_t piece = 1; piece <= 12; ++piece) {
        EXPECT_EQ(top("no body\r\n", 5, piece), "no body\r\n");
        EXPECT_EQ(top("\r\nbody\r\n", 0, piece), "\r\n");
        EXPECT_EQ(top("A: 1\n\nbody\nmore\n", 1, piece), "A: 1\n\nbody\n");
        EXPECT_EQ(top("A: 1\r\n\r\r\nB\r\n\r\nx", 0, piece), "A: 1\r\n\r\r\nB\r\n\r\n");
        EXPECT_EQ(top("A\r\n\r\nx\r\n", UINT64_MAX, piece), "A\r\n\r\nx\r\n");
    }
}

}  // namespace
}  // namespace postern::pop3

#include "protocols/smtp/reply.h"

#include <gtest/gtest.h>

namespace postern::smtp {
namespace {

std::string wire(const Reply& reply) {
    std::string out;
    append_reply(reply, out);
    return out;
}

TEST(Reply, Lines) {
    EXPECT_EQ(wire({250, "2.1.5", "OK"}), "250 2.1.5 OK\r\n");
    EXPECT_EQ(wire({334, "", ""}), "334 \r\n");
    EXPECT_EQ(wire({550, "5.7.1", "one\ntwo\r\nthree"}),
              "550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n");
    EXPECT_EQ(wire({250, "", "one\n"}), "250 one\r\n");
}

TEST(Reply, NothingOfTheTextCanForgeALine) {
    EXPECT_EQ(wire({250, "", "a\rb\tc\x7f"}), "250 a?b?c?\r\n");
    EXPECT_EQ(wire({250, "2.0.0\r\n550", "x"}), "250 2.0.0??550 x\r\n");
}

TEST(Reply, CodesThatAreNone) {
    EXPECT_EQ(wire({0, "", "x"}), "451 x\r\n");
    EXPECT_EQ(wire({199, "", "x"}), "451 x\r\n");
    EXPECT_EQ(wire({600, "", "x"}), "451 x\r\n");
}

TEST(Reply, LineLimit) {
    const std::size_t room = max_reply_line_bytes - 6;  // "250 " and CRLF
    for (const int over : {-1, 0, 1}) {
        const std::size_t sent = wire({250, "", std::string(room + over, 'x')}).size();
        EXPECT_EQ(sent, max_reply_line_bytes + std::min(over, 0));
    }
}

}  // namespace
}  // namespace postern::smtp

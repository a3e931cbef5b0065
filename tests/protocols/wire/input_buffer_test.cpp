#include "protocols/wire/input_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::wire {
namespace {

TEST(InputBuffer, AModelAgrees) {
    InputBuffer buffer;
    std::string model;
    for (std::size_t i = 0; i < 1000; ++i) {
        const std::string piece(i * 7 % 50, static_cast<char>('a' + i % 26));
        buffer.append(piece);
        model += piece;
        const std::size_t taken = std::min(model.size(), i * 5 % 60);
        buffer.consume(taken);
        model.erase(0, taken);
        ASSERT_EQ(buffer.view(), model);
        ASSERT_EQ(buffer.size(), model.size());
        ASSERT_EQ(buffer.empty(), model.empty());
        buffer.release_if_empty();
        ASSERT_EQ(buffer.view(), model);
    }
    buffer.clear();
    EXPECT_TRUE(buffer.empty());
}

TEST(InputBuffer, ViewsOutliveConsume) {
    InputBuffer buffer;
    buffer.append("line\r\nrest");
    const std::string_view line = buffer.view().substr(0, 4);
    buffer.consume(6);
    EXPECT_EQ(line, "line");
    EXPECT_EQ(buffer.view(), "rest");
}

}  // namespace
}  // namespace postern::wire

#include "protocols/wire/line_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postern::wire {
namespace {

constexpr std::size_t limit = 10;

// Feeds input in pieces of piece_bytes and writes the events down.
std::vector<std::string> events(const std::string& input, std::size_t piece_bytes) {
    std::vector<std::string> seen;
    LineReader reader;
    std::string pending;
    for (std::size_t pos = 0; pos < input.size(); pos += piece_bytes) {
        pending += input.substr(pos, piece_bytes);
        while (true) {
            const LineEvent event = reader.next(pending, limit);
            switch (event.kind) {
                case LineEvent::Kind::line:
                    seen.push_back(std::string(event.text) + (event.has_bare_cr ? " (CR)" : ""));
                    break;
                case LineEvent::Kind::too_long:
                    seen.emplace_back("too long");
                    break;
                case LineEvent::Kind::bare_lf:
                    seen.emplace_back("bare LF");
                    break;
                case LineEvent::Kind::skipped:
                case LineEvent::Kind::need_more:
                    break;
            }
            pending.erase(0, event.consumed);
            if (event.kind == LineEvent::Kind::need_more) break;
        }
        EXPECT_LT(pending.size(), limit);
    }
    return seen;
}

struct Case {
    std::string input;
    std::vector<std::string> expected;
};

TEST(LineReader, EventsDoNotDependOnCuts) {
    const Case cases[] = {
        {"a\r\nbc\r\n\r\n", {"a", "bc", ""}},
        {"a\rb\r\n", {"a\rb (CR)"}},
        {"a\r\r\n", {"a\r (CR)"}},
        {"1234567\r\n", {"1234567"}},
        {"12345678\r\n", {"12345678"}},
        {"123456789\r\nnext\r\n", {"too long", "next"}},
        {"123456789012345678901234567890\r\nnext\r\n", {"too long", "next"}},
        {"123456789\r\r\nnext\r\n", {"too long", "next"}},
        {"a\nb\r\nc\r\n", {"bare LF", "c"}},
        {"\na\nb\r\nc\r\n", {"bare LF", "bare LF", "c"}},
        {"a\n\r\nc\r\n", {"bare LF", "c"}},
        {"12345678901\n4\r\nc\r\n", {"too long", "bare LF", "c"}},
        {"unended", {}},
        {"\r", {}},
    };
    for (const auto& [input, expected] : cases) {
        for (std::size_t piece = 1; piece <= input.size(); ++piece) {
            EXPECT_EQ(events(input, piece), expected) << "pieces of " << piece;
        }
    }
}

// The limit belongs to the line at the front of the input, so the reader stops where a new one
// starts.
TEST(LineReader, StopsBehindASkippedLine) {
    LineReader reader;
    EXPECT_EQ(reader.next("123456789\r\nnext\r\n", limit).kind, LineEvent::Kind::too_long);
    const LineEvent skipped = reader.next("\nnext\r\n", limit);
    EXPECT_EQ(skipped.kind, LineEvent::Kind::skipped);
    EXPECT_EQ(skipped.consumed, 1u);
    EXPECT_EQ(reader.next("next\r\n", limit).text, "next");
}

}  // namespace
}  // namespace postern::wire

#include "protocols/imap/framer.h"

#include "protocols/imap/engine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postern::imap {
namespace {

using Event = Framer::Event;

// Each command as "text", with every literal taken that fits.
std::vector<std::string> commands_of(std::string_view input, std::size_t piece_bytes) {
    Framer framer;
    std::vector<std::string> out;
    while (!input.empty()) {
        framer.feed(input.substr(0, piece_bytes));
        input.remove_prefix(std::min(piece_bytes, input.size()));
        for (Event event = framer.next(true); event != Event::need_more;
             event = framer.next(true)) {
            if (event == Event::command) out.emplace_back(framer.text());
            if (event == Event::too_long) out.emplace_back("too long");
            if (event == Event::bare_lf) out.emplace_back("bare LF");
            if (event != Event::literal) continue;
            if (framer.literal().size <= framer.room()) {
                framer.take_literal();
            } else if (framer.literal().synchronizing) {
                framer.drop_command();
                out.emplace_back("dropped");
            } else {
                framer.skip_command();
                out.emplace_back("skipped");
            }
        }
    }
    return out;
}

using Strings = std::vector<std::string>;

TEST(Framer, CutsCommandsWhereverTheInputIsCut) {
    const std::string input =
        "a NOOP\r\nb LOGIN {3}\r\nx\r\n {0+}\r\n\r\n\r\nc {99999999}\r\nd NOOP\nstill d "
        "{2+}\r\nxx\r\n"
        "e {70000+}\r\n" +
        std::string(70000, '\n') + "rest\r\nf NOOP\r\n";
    const Strings expected = {
        "a NOOP", "b LOGIN {3}\r\nx\r\n {0}\r\n", "", "dropped", "bare LF", "skipped", "f NOOP"};
    for (const std::size_t piece_bytes : {1, 2, 3, 5, 7, 100, 100000}) {
        EXPECT_EQ(commands_of(input, piece_bytes), expected) << piece_bytes;
    }
}

TEST(Framer, EveryBareLfIsTold) {
    EXPECT_EQ(commands_of("a\nb\nc\r\nd\r\n", 1), (Strings{"bare LF", "bare LF", "d"}));
}

TEST(Framer, KnowsWhatALiteralIs) {
    const auto size_of = [](std::string_view line) {
        std::size_t begin = 0;
        const auto literal = literal_at_end(line, begin);
        return literal ? std::to_string(literal->size) + (literal->synchronizing ? "" : "+") + '@' +
                             std::to_string(begin)
                       : "none";
    };
    EXPECT_EQ(size_of("x {12}"), "12@2");
    EXPECT_EQ(size_of("x {12+}"), "12+@2");
    EXPECT_EQ(size_of("{0}"), "0@0");
    EXPECT_EQ(size_of("{99999999999999999999999999}"), "18446744073709551615@0");
    for (const char* line : {"", "}", "{}", "{+}", "12}", "x{1 }", "{1}x", "{-1}", "{1++}"}) {
        EXPECT_EQ(size_of(line), "none") << line;
    }
}

TEST(Framer, ALineMayFillTheLimitAndNoMore) {
    for (const std::size_t piece_bytes : {1, 1000, 1'000'000}) {
        // The CR counts.
        const std::string most(max_command_bytes - 1, 'x');
        EXPECT_EQ(commands_of(most.substr(1) + "\r\n", piece_bytes), Strings{most.substr(1)});
        EXPECT_EQ(commands_of(most + "\r\n", piece_bytes), Strings{most});
        EXPECT_EQ(commands_of(most + "x\r\ny\r\n", piece_bytes), (Strings{"too long", "y"}));
    }
}

TEST(Framer, LiteralsCountAgainstTheLimitOfTheCommand) {
    Framer framer;
    framer.feed("a {10}\r\n");
    ASSERT_EQ(framer.next(true), Event::literal);
    const std::size_t room = framer.room();
    EXPECT_LT(room, max_command_bytes);
    EXPECT_GT(room, max_command_bytes - 100);
    framer.take_literal();
    framer.feed("0123456789 {1}\r\n");
    ASSERT_EQ(framer.next(true), Event::literal);
    EXPECT_LT(framer.room(), room - 10);
}

TEST(Framer, AnEndlessLineIsToldOnceAndNotKept) {
    Framer framer;
    int told = 0;
    for (int i = 0; i < 1000; ++i) {
        framer.feed(std::string(10'000, 'x'));
        if (framer.next(true) == Event::too_long) ++told;
        while (framer.next(true) != Event::need_more) ++told;
        EXPECT_LE(framer.buffered_bytes(), max_command_bytes + 10'000);
    }
    EXPECT_EQ(told, 1);
}

TEST(Framer, ALiteralBehindALineThatIsSkippedIsNotRead) {
    const std::string input =
        std::string(max_command_bytes, 'x') + " {9+}\r\na NOOP\r\n{ {3+}\r\nb\r\nc NOOP\r\n";
    EXPECT_EQ(commands_of(input, 1), (Strings{"too long"}));
    EXPECT_EQ(commands_of(input + "d NOOP\r\n", 7), (Strings{"too long", "d NOOP"}));
}

TEST(Framer, StreamsInWholeChunks) {
    for (const std::size_t piece_bytes : {1, 3, 100}) {
        Framer framer;
        framer.feed("a APPEND x {10}\r\n");
        ASSERT_EQ(framer.next(true), Event::literal);
        framer.stream_literal();
        std::string_view input = "0123456789 tail\r\n";
        Strings chunks;
        while (framer.streaming()) {
            if (const auto chunk = framer.chunk(4)) {
                chunks.push_back(*chunk);
            } else {
                ASSERT_FALSE(input.empty());
                framer.feed(input.substr(0, piece_bytes));
                input.remove_prefix(std::min(piece_bytes, input.size()));
            }
        }
        framer.feed(input);
        EXPECT_EQ(chunks, (Strings{"0123", "4567", "89", ""}));
        ASSERT_EQ(framer.next(true), Event::command);
        EXPECT_EQ(framer.text(), " tail");
    }
}

TEST(Framer, PlainLinesHaveNoLiterals) {
    Framer framer;
    framer.feed("abc {5}\r\n");
    ASSERT_EQ(framer.next(false), Event::command);
    EXPECT_EQ(framer.text(), "abc {5}");
}

}  // namespace
}  // namespace postern::imap

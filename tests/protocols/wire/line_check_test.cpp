#include "protocols/wire/line_check.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

using Flaw = DotUnstuffer::Flaw;

Flaw flaw_of(const std::string& text, std::size_t limit, std::size_t piece) {
    LineCheck check(limit);
    for (std::size_t i = 0; i < text.size(); i += piece) {
        check.read(std::string_view(text).substr(i, piece));
    }
    check.finish();
    return check.flaw();
}

void expect(const std::string& text, Flaw flaw, std::size_t limit = 1000) {
    for (const std::size_t piece : {1u, 2u, 3u, 1000u}) {
        EXPECT_EQ(flaw_of(text, limit, piece), flaw) << text << " by " << piece;
    }
}

TEST(LineCheck, FindsWhatIsNoLineEnd) {
    expect("", Flaw::none);
    expect("a\r\n\r\nb", Flaw::none);
    expect("a\nb\r\n", Flaw::bare_lf);
    expect("a\rb\r\n", Flaw::bare_cr);
    expect("a\r\r\n", Flaw::bare_cr);
    expect("a\r", Flaw::bare_cr);
    expect("\n", Flaw::bare_lf);
    expect("a\rb\nc", Flaw::bare_lf);
}

TEST(LineCheck, LineLengths) {
    expect("1234567\r\n1234567\r\n", Flaw::none, 10);
    expect("12345678\r\n", Flaw::none, 10);
    expect("123456789\r\n", Flaw::line_too_long, 10);
    expect("1234567890", Flaw::none, 10);
    expect("12345678901", Flaw::line_too_long, 10);
}

TEST(LineCheck, KnowsWhetherALineIsOpen) {
    LineCheck check(100);
    EXPECT_TRUE(check.at_line_start());
    check.read("a\r");
    EXPECT_FALSE(check.at_line_start());
    check.read("\n");
    EXPECT_TRUE(check.at_line_start());
}

}  // namespace
}  // namespace postern::wire

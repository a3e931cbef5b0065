#include "protocols/smtp/path.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::smtp {
namespace {

// The address, or "syntax", "non-ASCII", "too long".
std::string parse(std::string_view text, PathKind kind, bool utf8_allowed = false) {
    const auto parsed = parse_path(text, kind, utf8_allowed);
    if (const auto* path = std::get_if<Path>(&parsed)) return "[" + path->address + "]";
    switch (std::get<PathError>(parsed)) {
        case PathError::syntax:
            return "syntax";
        case PathError::non_ascii:
            return "non-ASCII";
        case PathError::too_long:
            return "too long";
    }
    return "";
}

std::string reverse(std::string_view text) {
    return parse(text, PathKind::reverse);
}
std::string forward(std::string_view text) {
    return parse(text, PathKind::forward);
}

TEST(Path, Good) {
    EXPECT_EQ(reverse("<>"), "[]");
    EXPECT_EQ(reverse("  <a@b.c>"), "[a@b.c]");
    EXPECT_EQ(forward("<Postmaster>"), "[Postmaster]");
    EXPECT_EQ(forward("<postMASTER>"), "[Postmaster]");
    EXPECT_EQ(forward("<postmaster@Example.NET>"), "[postmaster@Example.NET]");
    EXPECT_EQ(forward("<@a.example,@b.example:c@d.example>"), "[c@d.example]");
    EXPECT_EQ(forward("<@[IPv6:2001:db8::1],@[192.0.2.1]:c@d.example>"), "[c@d.example]");
    EXPECT_EQ(forward("<a+b=c{d}#'!/?^_`|~*%&$-.e@under_score.example>"),
              "[a+b=c{d}#'!/?^_`|~*%&$-.e@under_score.example]");
    EXPECT_EQ(forward("<..odd..@docomo.example>"), "[..odd..@docomo.example]");
    EXPECT_EQ(forward("<a@localhost>"), "[a@localhost]");
}

TEST(Path, QuotedLocalPartsHaveOneSpelling) {
    EXPECT_EQ(forward("<\"alice\"@b>"), "[alice@b]");
    EXPECT_EQ(forward("<\"al\\ice\"@b>"), "[alice@b]");
    EXPECT_EQ(forward("<\"a b\"@c>"), "[\"a b\"@c]");
    EXPECT_EQ(forward("<\"a\\ b\"@c>"), "[\"a b\"@c]");
    EXPECT_EQ(forward("<\"a@x>\\\"\\\\\"@c>"), "[\"a@x>\\\"\\\\\"@c]");
    EXPECT_EQ(forward("<\"\"@c>"), "[\"\"@c]");
}

TEST(Path, AddressLiterals) {
    for (const char* good :
         {"[192.0.2.1]", "[IPv6:2001:db8::1]", "[ipv6:::1]", "[IPv6:::]", "[IPv6:1:2:3:4:5:6:7:8]",
          "[IPv6:::ffff:192.0.2.1]", "[IPv6:1:2:3:4:5:6:192.0.2.1]", "[IPv6:1::8]"}) {
        EXPECT_EQ(forward("<a@" + std::string(good) + ">"), "[a@" + std::string(good) + "]");
    }
    for (const char* bad :
         {"[]", "[192.0.2.256]", "[192.0.2]", "[192.0.2.1.1]", "[192.0.2.1", "192.0.2.1]",
          "[IPv6:1:2:3:4:5:6:7]", "[IPv6:1:2:3:4:5:6:7:8:9]", "[IPv6:1:2:3:4::5:6:7:8]",
          "[IPv6:1::2::3]", "[IPv6:12345::]", "[IPv6:g::]", "[IPv6:1:]", "[2001:db8::1]",
          "[IPv6:192.0.2.1::]", "[x:y]", "[192.0.2.0001]"}) {
        EXPECT_EQ(forward("<a@" + std::string(bad) + ">"), "syntax") << bad;
    }
}

TEST(Path, Bad) {
    for (const char* bad : {"",
                            "a@b",
                            "<a@b",
                            "a@b>",
                            "<a>",
                            "<@b>",
                            "<a@>",
                            "<a@b@c>",
                            "<a b@c>",
                            "<a@b c>",
                            "<a@b>c",
                            "<a@.b>",
                            "<a@b.>",
                            "<a@b..c>",
                            "<a@-b>",
                            "<a@b->",
                            "<(a)@b>",
                            "<a\\b@c>",
                            "<\"a@b>",
                            "<\"a\"b@c>",
                            "<\"a\n\"@c>",
                            "<\"a\\",
                            "<@a.example c@d>",
                            "<@a:>",
                            "<@:b@c>",
                            "<@a,:b@c>",
                            "<@a,b:c@d>",
                            "<@!:b@c>",
                            "<@[192.0.2.1:b@c>",
                            "<<a@b>>",
                            "<a@b,c>",
                            "<postmaster",
                            "< a@b>"}) {
        EXPECT_EQ(reverse(bad), "syntax") << bad;
        EXPECT_EQ(forward(bad), "syntax") << bad;
    }
    EXPECT_EQ(reverse("<Postmaster>"), "syntax");
    EXPECT_EQ(forward("<>"), "syntax");
}

TEST(Path, Utf8) {
    EXPECT_EQ(forward("<\xc3\xa4@b>"), "non-ASCII");
    EXPECT_EQ(forward("<a@\xc3\xa4.example>"), "non-ASCII");
    EXPECT_EQ(parse("<\xc3\xa4@\xc3\xb6>", PathKind::forward, true), "[\xc3\xa4@\xc3\xb6]");
    EXPECT_EQ(parse("<\"\xc3\xa4 b\"@c>", PathKind::forward, true), "[\"\xc3\xa4 b\"@c]");
    EXPECT_EQ(parse("<\xc3@b>", PathKind::forward, true), "syntax");
}

TEST(Path, Limits) {
    for (const int over : {-1, 0, 1}) {
        const std::string local_part(max_local_part_bytes + over, 'a');
        EXPECT_EQ(forward("<" + local_part + "@b>") == "too long", over > 0);

        const std::string label(max_domain_label_bytes + over, 'a');
        EXPECT_EQ(forward("<a@" + label + ".b>") == "syntax", over > 0);

        std::string domain;
        while (domain.size() < max_domain_bytes + over)
            domain += domain.size() % 50 == 49 ? '.' : 'd';
        EXPECT_EQ(forward("<a@" + domain + ">") == "too long", over > 0);
    }
}

TEST(Path, Rest) {
    const auto parsed = parse_path("<a@b> SIZE=1", PathKind::reverse, false);
    EXPECT_EQ(std::get<Path>(parsed).rest, " SIZE=1");
}

}  // namespace
}  // namespace postern::smtp

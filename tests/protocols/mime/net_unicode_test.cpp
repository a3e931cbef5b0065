#include "protocols/mime/net_unicode.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::mime {
namespace {

TEST(NetUnicode, ComposesWhatIsTakenApart) {
    EXPECT_EQ(compose("Entwu\u0308rfe"), "Entw\u00fcrfe");
    EXPECT_EQ(compose("Entw\u00fcrfe"), "Entw\u00fcrfe");
    EXPECT_EQ(compose("plain/INBOX"), "plain/INBOX");
    EXPECT_EQ(compose("\u1112\u1161\u11ab"), "\ud55c");
    EXPECT_EQ(compose("\u2126"), "\u03a9");  // singleton: OHM SIGN
    EXPECT_EQ(compose("\ufb01"), "\ufb01");  // compatibility forms stay
    EXPECT_EQ(compose("a\u0323\u0307"), "\u1ea1\u0307");
    EXPECT_EQ(compose("a\u0307\u0323"), "\u1ea1\u0307") << "the order of accents";
    EXPECT_EQ(compose(""), "");
}

TEST(NetUnicode, IllFormedTextStaysAsItIs) {
    EXPECT_EQ(compose("u\xcc"), "u\xcc");
    EXPECT_EQ(compose("\xff u\u0308"), "\xff u\u0308");
}

TEST(NetUnicode, KnowsWhatIsComposed) {
    for (const char* is : {"", "plain", "Entw\u00fcrfe", "u\xcc", "\ufb01"}) {
        EXPECT_TRUE(is_composed(is)) << is;
    }
    for (const char* is_not : {"Entwu\u0308rfe", "\u2126", "a\u0307\u0323"}) {
        EXPECT_FALSE(is_composed(is_not)) << is_not;
    }
}

TEST(NetUnicode, LinesHoldNoControls) {
    EXPECT_TRUE(is_net_unicode_line("Entw\u00fcrfe \u00a0\u2027\u202a"));
    for (const char* bad : {"a\tb", "a\x7f", "a\u0080", "\u0085", "x\u009f", "\u2028", "\u2029"}) {
        EXPECT_FALSE(is_net_unicode_line(bad)) << bad;
    }
    EXPECT_FALSE(is_net_unicode_line("no UTF-8 \xe4"));
}

TEST(NetUnicode, WhatLinesMayNotHoldIsReplaced) {
    const std::string kept = "Entw\u00fcrfe \u00a0\u2027\u202a";
    EXPECT_EQ(net_unicode_line(kept), kept);
    EXPECT_EQ(net_unicode_line("a\tb\x7f"), "a\ufffdb\ufffd");
    EXPECT_EQ(net_unicode_line("\u0080a\u009f\u2028b\u2029"), "\ufffda\ufffd\ufffdb\ufffd");
    EXPECT_EQ(net_unicode_line("f\xfcr \xc2"), "f\ufffdr \ufffd");
    EXPECT_EQ(net_unicode_line(""), "");
}

}  // namespace
}  // namespace postern::mime

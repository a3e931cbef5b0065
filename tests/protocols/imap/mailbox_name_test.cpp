#include "protocols/imap/mailbox_name.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace postern::imap {
namespace {

struct Spelling {
    const char* utf8;
    const char* utf7;
};

TEST(Utf7, IsWrittenAndReadAlike) {
    for (const Spelling& name : {
             Spelling{"", ""},
             {"INBOX", "INBOX"},
             {"a&b", "a&-b"},
             {"&", "&-"},
             {"\xc3\x9c"
              "ber",
              "&ANw-ber"},
             {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
              "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},         // RFC 3501 section 5.1.3
             {"\xf0\x9f\x93\xac!", "&2D3c7A-!"},          // outside the first plane
             {"\xc3\xa9\xc3\xa8\xc3\xaa", "&AOkA6ADq-"},  // no bits left over
             {"\x7f", "&AH8-"},
             {"- -", "- -"},
         }) {
        EXPECT_EQ(encode_utf7(name.utf8), name.utf7);
        EXPECT_EQ(decode_utf7(name.utf7), name.utf8) << name.utf7;
    }
}

TEST(Utf7, IsRefusedWhenNotCanonical) {
    for (const char* text : {
             "&",           // not ended
             "&ANw",        // likewise
             "&ANw ber-",   // space inside
             "&AGE-",       // printable ASCII
             "&AOk-&AOg-",  // two runs where one would do
             "&ANx-",       // bits left over are not zero
             "&ANwA-",      // a unit that ends early
             "&2D0-",       // a high surrogate alone
             "&3Kw-",       // a low one
             "&2D3YPQ-",    // two high ones
             "&A-",         // less than a unit
             "\xc3\x9c",    // 8-bit
             "a\tb",        // control character
         }) {
        EXPECT_EQ(decode_utf7(text), std::nullopt) << text;
    }
}

TEST(MailboxName, InboxIsTheSameInAnyCase) {
    EXPECT_EQ(canonical_name("inbox"), "INBOX");
    EXPECT_EQ(canonical_name("InBox/x"), "INBOX/x");
    EXPECT_EQ(canonical_name("inboxes"), "inboxes");
    EXPECT_EQ(canonical_name("a/inbox"), "a/inbox");
    EXPECT_EQ(canonical_name(""), "");
}

TEST(MailboxName, AccentsBelongToTheirLetters) {
    EXPECT_EQ(canonical_name("Entwu\u0308rfe/a"), "Entw\u00fcrfe/a");
    EXPECT_EQ(canonical_name("Entw\u00fcrfe/a"), "Entw\u00fcrfe/a");
}

TEST(MailboxName, NewNamesCanBeListedAgain) {
    for (const char* name : {"a", "a/b", "a b",
                             "\xc3\x9c"
                             "ber",
                             ".hidden", "a.b"}) {
        EXPECT_TRUE(is_valid_new_name(name)) << name;
    }
    for (const char* name :
         {"", "/", "/a", "a/", "a//b", "a*", "%", "a\nb", "a\x7f", "a\u0085", "\u2028"}) {
        EXPECT_FALSE(is_valid_new_name(name)) << name;
    }
    EXPECT_FALSE(is_valid_new_name(std::string_view("a\0b", 3)));
}

TEST(Pattern, MatchesAsInRfc3501) {
    struct Case {
        const char *pattern, *name;
        bool matches;
    };
    for (const Case& c : {
             Case{"*", "a/b/c", true},
             {"*", "", true},
             {"%", "a", true},
             {"%", "a/b", false},
             {"%/%", "a/b", true},
             {"%/%", "a/b/c", false},
             {"a*", "a/b/c", true},
             {"a%", "abc", true},
             {"a%", "a/c", false},
             {"a%c", "abbc", true},
             {"a*c", "a/b/c", true},
             {"*b*", "abc", true},
             {"*b*", "ac", false},
             {"%*", "a/b", true},
             {"*%", "a/b", true},
             {"%%", "a/b", false},
             {"a", "a", true},
             {"a", "A", false},
             {"a", "ab", false},
             {"ab", "a", false},
             {"", "", true},
             {"inbox", "INBOX", true},
             {"iNb%", "INBOX", true},
             {"inbox/a", "INBOX/a", true},
             {"inbox/A", "INBOX/a", false},
             {"inboxes", "INBOXES", false},
         }) {
        EXPECT_EQ(matches_pattern(c.name, c.pattern), c.matches) << c.pattern << ' ' << c.name;
    }
}

TEST(Pattern, CostsNoMoreThanBothSizesMultiplied) {
    std::string pattern;
    while (pattern.size() + 2 <= max_pattern_bytes) pattern += "*a";
    const std::string name(765, 'a');
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(matches_pattern(name, pattern));
    EXPECT_FALSE(matches_pattern(name, pattern + 'b'));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace postern::imap

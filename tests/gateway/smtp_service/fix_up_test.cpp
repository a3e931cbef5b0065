#include "gateway/smtp_service/fix_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::smtp_service {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

std::string fixed(std::string message) {
    add_missing_fields(message, "mx.example.net", "0123456789ab");
    return message;
}

TEST(FixUp, AddsWhatIsMissing) {
    const auto out = fixed("Subject: x\r\n\r\ntext\r\n");
    EXPECT_THAT(out, MatchesRegex("Date: [^\r]*\r\nMessage-ID: <[0-9a-f]+\\.0123456789ab@"
                                  "mx\\.example\\.net>\r\nSubject: x\r\n\r\ntext\r\n"));
    EXPECT_NE(out, fixed("Subject: x\r\n\r\ntext\r\n"));
}

TEST(FixUp, KeepsWhatIsThere) {
    const std::string whole = "date: today\r\nmessage-id: <x@y>\r\n\r\ntext\r\n";
    EXPECT_EQ(fixed(whole), whole);
    EXPECT_THAT(fixed("Date: today\r\n\r\n"), StartsWith("Message-ID: <"));
}

TEST(FixUp, EmptyOnesAreReplaced) {
    EXPECT_THAT(fixed("Date:\r\nSubject: x\r\nmessage-id: \r\n \r\n\r\nDate:\r\n"),
                MatchesRegex("Date: [^\r]+\r\nMessage-ID: <[^\r]+>\r\nSubject: x\r\n\r\n"
                             "Date:\r\n"));
    EXPECT_THAT(fixed("Date:\r\n\r\ntext\r\n"), EndsWith(">\r\n\r\ntext\r\n"));
}

TEST(FixUp, AMessageWithoutAHeaderGetsOne) {
    EXPECT_THAT(fixed("just text\r\n"), EndsWith(">\r\n\r\njust text\r\n"));
    EXPECT_THAT(fixed("\r\ntext\r\n"), EndsWith(">\r\n\r\ntext\r\n"));
}

TEST(FixUp, BlindCopiesGo) {
    const auto without = [](std::string message) {
        remove_blind_copies(message);
        return message;
    };
    EXPECT_EQ(without("Bcc: a@b.example,\r\n c@d.example\r\nTo: x@y\r\nbCC : e@f\r\n"
                      "Resent-Bcc: g@h\r\nX-Bcc: stays\r\n\r\nBcc: in the text\r\n"),
              "To: x@y\r\nX-Bcc: stays\r\n\r\nBcc: in the text\r\n");
    EXPECT_EQ(without("Bcc: a@b\r\n\r\ntext\r\n"), "\r\ntext\r\n");
    EXPECT_EQ(without("To: x@y\r\nBcc: a@b,\r\n \r\n c@d\r\n\r\n text\r\n"),
              "To: x@y\r\n\r\n text\r\n");
    EXPECT_EQ(without("just text\r\n"), "just text\r\n");
}

TEST(FixUp, HeaderOf) {
    EXPECT_EQ(header_of("A: b\r\nC: d\r\n\r\ntext"), "A: b\r\nC: d\r\n");
    EXPECT_EQ(header_of("A: b\r\n"), "A: b\r\n");
}

}  // namespace
}  // namespace postern::smtp_service

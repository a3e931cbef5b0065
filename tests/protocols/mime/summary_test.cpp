#include "protocols/mime/summary.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::mime {
namespace {

Summary summary_of(const std::string& mail) {
    return summarize(parse(mail), mail);
}

std::string envelope_of(const std::string& header) {
    return summary_of(header + "\r\n").envelope;
}

TEST(Envelope, ExampleOfTheRfc) {
    // RFC 3501 section 8.
    EXPECT_EQ(
        envelope_of("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
                    "From: Terry Gray <gray@cac.washington.edu>\r\n"
                    "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
                    "To: imap@cac.washington.edu\r\n"
                    "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
                    "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"),
        R"-(("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" )-"
        R"-((("Terry Gray" NIL "gray" "cac.washington.edu")) )-"
        R"-((("Terry Gray" NIL "gray" "cac.washington.edu")) )-"
        R"-((("Terry Gray" NIL "gray" "cac.washington.edu")) )-"
        R"-(((NIL NIL "imap" "cac.washington.edu")) )-"
        R"-(((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) )-"
        R"-(NIL NIL "<B27397-0100000@cac.washington.edu>"))-");
}

TEST(Envelope, AbsentAndEmptyFields) {
    EXPECT_EQ(envelope_of(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    EXPECT_EQ(envelope_of("Subject:\r\nTo:\r\nSender: \r\n"),
              R"-((NIL "" NIL NIL NIL NIL NIL NIL NIL NIL))-");
}

TEST(Envelope, SenderAndReplyTo) {
    EXPECT_EQ(envelope_of("From: a@b\r\nSender: c@d\r\nReply-To: e@f\r\n"),
              R"-((NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "c" "d")) ((NIL NIL "e" "f")) )-"
              "NIL NIL NIL NIL NIL)");
}

TEST(Envelope, GroupsAndAddressesWithoutDomain) {
    EXPECT_EQ(
        envelope_of("To: list:a@b, c;\r\nCc: root\r\n"),
        R"-((NIL NIL NIL NIL NIL ((NIL NIL "list" NIL)(NIL NIL "a" "b")(NIL NIL "c" "")(NIL )-"
        R"-(NIL NIL NIL)) ((NIL NIL "root" "")) NIL NIL NIL))-");
}

TEST(Envelope, RouteOfOldAddresses) {
    EXPECT_EQ(
        envelope_of("To: <@relay.example:joe@c.example>\r\n"),
        R"-((NIL NIL NIL NIL NIL ((NIL "@relay.example" "joe" "c.example")) NIL NIL NIL NIL))-");
}

TEST(Envelope, ListsFromSeveralFields) {
    EXPECT_EQ(envelope_of("To: a@b\r\nTo: c@d\r\nSubject: one\r\nSubject: two\r\n"),
              R"-((NIL "one" NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL NIL NIL))-");
}

TEST(Envelope, Quoting) {
    EXPECT_EQ(envelope_of("Subject: say \"hi\" \\o/\r\n"),
              R"-((NIL "say \"hi\" \\o/" NIL NIL NIL NIL NIL NIL NIL NIL))-");
    EXPECT_EQ(envelope_of("Subject: =?utf-8?q?=C3=A9?=\r\n =?utf-8?q?x?=\r\n"),
              R"-((NIL "=?utf-8?q?=C3=A9?= =?utf-8?q?x?=" NIL NIL NIL NIL NIL NIL NIL NIL))-");
}

TEST(Envelope, RawEightBitBecomesEncodedWords) {
    const std::string expected = R"-((NIL "=?UTF-8?B?w6k=?=" NIL NIL NIL NIL NIL NIL NIL NIL))-";
    EXPECT_EQ(envelope_of("Subject: \xE9\r\n"), expected);
    EXPECT_EQ(envelope_of("Subject: \xC3\xA9\r\n"), expected);
    EXPECT_EQ(envelope_of("From: \xC3\xA9 <j\xC3\xA9@x>\r\nSender: s\r\nReply-To: r\r\n"),
              "(NIL NIL ((\"=?UTF-8?B?w6k=?=\" NIL {3}\r\nj\xC3\xA9 \"x\")) "
              R"-(((NIL NIL "s" "")) ((NIL NIL "r" "")) NIL NIL NIL NIL NIL))-");
}

TEST(Envelope, StringsAreBounded) {
    for (const std::size_t size : {max_envelope_string_bytes - 1, max_envelope_string_bytes,
                                   max_envelope_string_bytes + 1}) {
        const std::string envelope = envelope_of("Subject: " + std::string(size, 's') + "\r\n");
        EXPECT_EQ(std::count(envelope.begin(), envelope.end(), 's'),
                  std::min(size, max_envelope_string_bytes));
    }
    const std::string nul = std::string("Subject: a") + '\0' + "b\r\n";
    EXPECT_EQ(envelope_of(nul), R"-((NIL "ab" NIL NIL NIL NIL NIL NIL NIL NIL))-");
}

TEST(Structure, SinglePart) {
    const Summary summary = summary_of("Subject: x\r\n\r\none\r\ntwo\r\n");
    EXPECT_EQ(summary.body, R"-(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2))-");
    EXPECT_EQ(summary.body_structure,
              R"-(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL))-");
}

TEST(Structure, AllFields) {
    const Summary summary = summary_of(
        "Content-Type: image/PNG; name=\"a \\\"b\\\".png\"; x=1\r\n"
        "Content-Transfer-Encoding: BASE64\r\nContent-ID: <i@d>\r\n"
        "Content-Description: a picture\r\nContent-MD5: Q2hlY2s=\r\n"
        "Content-Disposition: attachment; filename*=utf-8''a.png\r\n"
        "Content-Language: en, de\r\nContent-Location: http://x/\r\n\r\nAAAA");
    EXPECT_EQ(
        summary.body_structure,
        R"-(("image" "png" ("name" "a \"b\".png" "x" "1") "<i@d>" "a picture" "base64" 4 )-"
        R"-("Q2hlY2s=" ("attachment" ("filename*" "utf-8''a.png")) ("en" "de") "http://x/"))-");
    EXPECT_EQ(summary.body,
              R"-(("image" "png" ("name" "a \"b\".png" "x" "1") "<i@d>" "a picture" "base64" 4))-");
}

TEST(Structure, DispositionWithoutParametersAndOneLanguage) {
    const Summary summary = summary_of(
        "Content-Type: text/html; charset=utf-8\r\nContent-Disposition: inline\r\n"
        "Content-Language: en\r\n\r\n");
    EXPECT_EQ(summary.body_structure,
              R"-(("text" "html" ("charset" "utf-8") NIL NIL "7bit" 0 0 NIL ("inline" NIL) "en" )-"
              "NIL)");
}

TEST(Structure, RawEightBitParameterInRfc2231Form) {
    const Summary summary = summary_of("Content-Type: a/b; name=\"\xE9 x.txt\"\r\n\r\n");
    EXPECT_EQ(summary.body, R"-(("a" "b" ("name*" "utf-8''%C3%A9%20x.txt") NIL NIL "7bit" 0))-");
}

const std::string mixed =
    "Content-Type: multipart/mixed; boundary=o\r\n\r\n"
    "--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n"
    "--i\r\n\r\nplain\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>\r\n--i--\r\n"
    "--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner\r\n"
    "--o\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
    "--m\r\n\r\nmm\r\n--m--\r\n"
    "--o--\r\n";

TEST(Structure, NestedParts) {
    const Summary summary = summary_of(mixed);
    EXPECT_EQ(
        summary.body,
        R"-(((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0))-"
        R"-(("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 3 0) "alternative"))-"
        R"-(("message" "rfc822" NIL NIL NIL "7bit" 20 )-"
        R"-((NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) )-"
        R"-(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0) 2))-"
        R"-(("message" "rfc822" NIL NIL NIL "7bit" 61 )-"
        R"-((NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) )-"
        R"-((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 2 0) "mixed") 5) "mixed"))-");
    EXPECT_NE(summary.body_structure.find(R"-("alternative" ("boundary" "i") NIL NIL NIL)-"),
              std::string::npos);
}

std::string at(const std::string& mail, const Summary& summary, const std::string& number) {
    for (const PartOffsets& part : summary.parts) {
        if (part.number == number) return std::string(part.body.of(mail));
    }
    return "(none)";
}

const PartOffsets* find_part(const Summary& summary, const std::string& number) {
    for (const PartOffsets& part : summary.parts) {
        if (part.number == number) return &part;
    }
    return nullptr;
}

TEST(PartNumbers, NestedParts) {
    const Summary summary = summary_of(mixed);
    std::vector<std::string> numbers;
    for (const PartOffsets& part : summary.parts) numbers.push_back(part.number);
    EXPECT_EQ(numbers, (std::vector<std::string>{"", "1", "1.1", "1.2", "2", "2.1", "3", "3.1"}));
    EXPECT_EQ(at(mixed, summary, ""), mixed);
    EXPECT_EQ(at(mixed, summary, "1.1"), "plain");
    EXPECT_EQ(at(mixed, summary, "1.2"), "<p>");
    EXPECT_EQ(at(mixed, summary, "2"), "Subject: in\r\n\r\ninner");
    EXPECT_EQ(at(mixed, summary, "2.1"), "inner");
    EXPECT_EQ(at(mixed, summary, "3.1"), "mm");
    const PartOffsets* embedded = find_part(summary, "2");
    ASSERT_NE(embedded, nullptr);
    EXPECT_TRUE(embedded->embedded_message);
    EXPECT_EQ(embedded->mime_header.of(mixed), "Content-Type: message/rfc822\r\n\r\n");
    EXPECT_EQ(embedded->header.of(mixed), "Subject: in\r\n\r\n");
    EXPECT_EQ(embedded->text.of(mixed), "inner");
    EXPECT_EQ(find_part(summary, "2.1")->mime_header.of(mixed), "Subject: in\r\n\r\n");
    EXPECT_FALSE(find_part(summary, "1")->embedded_message);
}

TEST(PartNumbers, SinglePartAndRootMessage) {
    const std::string single = "Subject: x\r\n\r\nbody";
    EXPECT_EQ(at(single, summary_of(single), "1"), "body");
    EXPECT_EQ(find_part(summary_of(single), "")->text.of(single), "body");
    const std::string root = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody";
    EXPECT_EQ(at(root, summary_of(root), "1"), "Subject: in\r\n\r\nbody");
    EXPECT_EQ(at(root, summary_of(root), "1.1"), "body");
}

TEST(PartNumbers, MultipartThatNeverOpensIsOneText) {
    const std::string mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\nall of it\r\n";
    const Summary summary = summary_of(mail);
    EXPECT_EQ(summary.body,
              R"-((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 11 1) "mixed"))-");
    EXPECT_EQ(at(mail, summary, "1"), "all of it\r\n");
    EXPECT_EQ(summary.preview, "all of it");
}

TEST(Summary, HeadFields) {
    const Summary summary = summary_of(
        "Date: Wed, 17 Jul 1996 02:44:25 -0700\r\nFrom: =?utf-8?q?=C3=A9?= <e@x>\r\n"
        "Subject: =?utf-8?q?=C3=A9?= b\r\nMessage-ID: junk <id@x> more\r\n\r\n");
    EXPECT_EQ(summary.sent_unix_ms, 837'596'665'000);
    EXPECT_EQ(summary.sent_zone_minutes, -420);
    EXPECT_EQ(summary.from, "é <e@x>");
    EXPECT_EQ(summary.subject, "é b");
    EXPECT_EQ(summary.message_id, "<id@x>");
    EXPECT_EQ(summary_of("Date: never\r\nMessage-ID: bare\r\n\r\n").sent_unix_ms, 0);
    EXPECT_EQ(summary_of("Message-ID: > bare <\r\n\r\n").message_id, "");
}

TEST(Preview, FirstVisibleText) {
    EXPECT_EQ(summary_of("A: 1\r\n\r\n  Hello\r\n\r\n world \x01 \r\n").preview, "Hello world");
    EXPECT_EQ(summary_of("Content-Type: text/html\r\n\r\n<style>x</style><p>Hi&amp;<b>bye").preview,
              "Hi&bye");
    EXPECT_EQ(summary_of(mixed).preview, "plain");
    const std::string empty_first =
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\n"
        "Content-Type: text/html\n\n<p>html\n--b--\n";
    EXPECT_EQ(summary_of(empty_first).preview, "html");
    const std::string attachment =
        "Content-Disposition: attachment\r\nContent-Type: text/plain\r\n\r\nsecret";
    EXPECT_EQ(summary_of(attachment).preview, "");
}

TEST(Preview, LengthInCharacters) {
    for (const std::size_t size :
         {max_preview_characters - 1, max_preview_characters, max_preview_characters + 1}) {
        std::string body;
        for (std::size_t i = 0; i < size; ++i) body += "é";
        EXPECT_EQ(
            summary_of("Content-Type: text/plain; charset=utf-8\r\n\r\n" + body).preview.size(),
            2 * std::min(size, max_preview_characters));
    }
}

}  // namespace
}  // namespace postern::mime

#include "gateway/outbound/report.h"

#include "protocols/mime/message.h"
#include "protocols/mime/seven_bit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::outbound {
namespace {

using testing::HasSubstr;
using testing::Not;

Report make(Action action = Action::failed) {
    Report report;
    report.hostname = "mx.example.net";
    report.id = "0123";
    report.to = "ann@example.net";
    report.envelope_id = "QQ+2B7";
    report.message_id = "abcd";
    report.arrived = from_unix_ms(1'700'000'000'000);
    report.now = report.retry_until = from_unix_ms(1'700'000'100'000);
    report.recipients = {{"bob@remote.example", "rfc822;bob+2Bx@example.org", action, "5.1.1",
                          "550 5.1.1 no such\nuser", "mx.remote.example"}};
    report.message = "Subject: x\r\nFrom: ann@example.net\r\n\r\nbody\r\n";
    report.message_bytes = report.message.size();
    return report;
}

TEST(Report, IsAMultipartReport) {
    const auto text = report_text(make());
    const auto parsed = mime::parse(text);
    ASSERT_EQ(parsed.parts[0].children.size(), 3u);
    EXPECT_EQ(parsed.parts[0].subtype, "report");
    const auto part = [&](std::size_t i) {
        return parsed.parts[static_cast<std::size_t>(parsed.parts[0].children[i])];
    };
    EXPECT_EQ(part(0).type, "text");
    EXPECT_EQ(part(1).subtype, "delivery-status");
    EXPECT_EQ(part(2).subtype, "rfc822");
    const std::string status(part(1).body.of(text));
    EXPECT_THAT(status, HasSubstr("Reporting-MTA: dns; mx.example.net\r\n"));
    EXPECT_THAT(status, HasSubstr("Original-Envelope-Id: QQ+7\r\n"));
    EXPECT_THAT(status, HasSubstr("\r\n\r\nOriginal-Recipient: rfc822;bob+x@example.org\r\n"
                                  "Final-Recipient: rfc822;bob@remote.example\r\n"
                                  "Action: failed\r\nStatus: 5.1.1\r\n"
                                  "Remote-MTA: dns; mx.remote.example\r\n"
                                  "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"));
    EXPECT_EQ(part(2).body.of(text), "Subject: x\r\nFrom: ann@example.net\r\n\r\nbody\r\n");
    EXPECT_THAT(text, HasSubstr("Auto-Submitted: auto-replied\r\n"));
    EXPECT_EQ(text.find('\n'), text.find("\r\n") + 1);
}

// RFC 3464 section 2.3.6: of type "smtp" are replies alone.
TEST(Report, WhatTheServerDidNotSayIsNotItsReply) {
    auto report = make();
    report.recipients[0].diagnostic = "550 of our own";
    report.recipients[0].remote_mta = "";
    EXPECT_THAT(report_text(report), HasSubstr("Diagnostic-Code: X-Postern; 550 of our own"));
    EXPECT_THAT(report_text(report), Not(HasSubstr("said:")));
    EXPECT_THAT(report_text(report), Not(HasSubstr("Remote-MTA")));
    report.recipients[0].remote_mta = "mx.remote.example";
    report.recipients[0].diagnostic = "550";
    EXPECT_THAT(report_text(report), HasSubstr("Diagnostic-Code: smtp; 550\r\n"));
    EXPECT_THAT(report_text(report), HasSubstr("mx.remote.example said: 550\r\n"));
}

TEST(Report, AServerWithoutANameIsAnAddressLiteral) {
    auto report = make();
    report.recipients[0].remote_mta = "192.0.2.1";
    EXPECT_THAT(report_text(report), HasSubstr("Remote-MTA: dns; [192.0.2.1]\r\n"));
    report.recipients[0].remote_mta = "2001:db8::1";
    EXPECT_THAT(report_text(report), HasSubstr("Remote-MTA: dns; [IPv6:2001:db8::1]\r\n"));
}

TEST(Report, WordsInOtherCharsetsBecomeQuestionMarks) {
    auto report = make();
    report.recipients[0].diagnostic = "550 unbekannt: M\xfcller";
    EXPECT_THAT(report_text(report), HasSubstr("smtp; 550 unbekannt: M?ller\r\n"));
    report.recipients[0].diagnostic = "550 unbekannt: M\u00fcller";
    EXPECT_THAT(report_text(report), HasSubstr("smtp; 550 unbekannt: M\u00fcller\r\n"));
}

// Else a server without 8BITMIME could not be given the report.
TEST(Report, WhatCannotBeConvertedIsReturnedAsItsHeader) {
    const auto returning = [](const std::string& type) {
        auto report = make();
        report.headers_only = false;
        report.message = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/" + type +
                         "; boundary=b\r\n\r\n--b\r\n\r\n\xc3\xa9\r\n--b--\r\n";
        report.message_bytes = report.message.size();
        return report_text(report);
    };
    EXPECT_THAT(returning("mixed"), HasSubstr("message/rfc822"));
    EXPECT_THAT(returning("signed"), HasSubstr("text/rfc822-headers"));
    for (const char* type : {"mixed", "signed"}) {
        EXPECT_TRUE(mime::to_seven_bit(returning(type)).has_value()) << type;
    }
}

TEST(Report, AnExpansion) {
    const auto text = report_text(make(Action::expanded));
    EXPECT_THAT(text, HasSubstr("Action: expanded\r\n"));
    EXPECT_THAT(text, HasSubstr("Subject: Your message was passed on to several"));
}

// RFC 6533: its own address type and escapes, and a status part that may hold UTF-8.
TEST(Report, InternationalizedOriginalRecipients) {
    auto report = make();
    report.recipients[0].original = "utf-8;m\\x{FC}ller@example.org";
    EXPECT_THAT(report_text(report),
                HasSubstr("Original-Recipient: utf-8;m\\x{FC}ller@example.org\r\n"));
    EXPECT_THAT(report_text(report), HasSubstr("message/delivery-status"));
    report.recipients[0].original = "UTF-8;m\xc3\xbcller@example.org";
    EXPECT_THAT(report_text(report),
                HasSubstr("Original-Recipient: UTF-8;m\xc3\xbcller@example.org\r\n"));
    EXPECT_THAT(report_text(report), HasSubstr("message/global-delivery-status"));
}

TEST(Report, OnlyTheHeaderWhereThatIsEnough) {
    auto report = make();
    report.headers_only = true;
    EXPECT_THAT(report_text(report), Not(HasSubstr("body\r\n")));
    EXPECT_THAT(report_text(report), HasSubstr("text/rfc822-headers"));
    report = make(Action::delayed);
    EXPECT_THAT(report_text(report), HasSubstr("Will-Retry-Until: "));
    report.retry_until = Time{};  // held by an admin
    EXPECT_THAT(report_text(report), Not(HasSubstr("Will-Retry-Until: ")));
    EXPECT_THAT(report_text(report), Not(HasSubstr("1970")));
    EXPECT_THAT(report_text(report), Not(HasSubstr("body\r\n")));
    for (const int over : {-1, 0, 1}) {
        report = make();
        report.message += std::string(max_returned_bytes + over - report.message.size(), 'z');
        report.message_bytes = report.message.size();
        EXPECT_EQ(report_text(report).find("zzz") != std::string::npos, over <= 0);
    }
}

// RFC 6533.
TEST(Report, WhatIsReturnedSaysWhatItIs) {
    auto report = make();
    const auto with = [&](const std::string& subject, const std::string& body, bool headers_only) {
        report.message = "Subject: " + subject + "\r\n\r\n" + body + "\r\n";
        report.message_bytes = report.message.size();
        report.headers_only = headers_only;
        return report_text(report);
    };
    const std::string eight_bit = "\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject:";
    EXPECT_THAT(with("x", "y", false), HasSubstr("message/rfc822\r\n\r\nSubject:"));
    EXPECT_THAT(with("x", "\xC3\xB6", false), HasSubstr("message/rfc822" + eight_bit));
    EXPECT_THAT(with("\xC3\xB6", "y", false), HasSubstr("message/global" + eight_bit));
    EXPECT_THAT(with("\xC3\xB6", "y", true), HasSubstr("message/global-headers" + eight_bit));
    EXPECT_THAT(with("\xF6", "y", false), HasSubstr("message/rfc822" + eight_bit));
    EXPECT_THAT(with("\xF6", "y", true), HasSubstr("text/rfc822-headers" + eight_bit));
    // The status itself is ASCII.
    EXPECT_THAT(with("\xC3\xB6", "y", false), HasSubstr("message/delivery-status\r\n\r\n"));
    EXPECT_THAT(with("x", "\xC3\xB6", true), Not(HasSubstr("8bit")));
}

TEST(Report, Utf8IsDeclared) {
    auto report = make();
    report.recipients[0].address =
        "b\xc3\xb6"
        "b@remote.example";
    const auto text = report_text(report);
    EXPECT_THAT(text, HasSubstr("Final-Recipient: utf-8;b\xc3\xb6"
                                "b@remote.example\r\n"));
    EXPECT_THAT(text, HasSubstr("message/global-delivery-status"));
    EXPECT_THAT(text, HasSubstr("Content-Transfer-Encoding: 8bit"));
}

}  // namespace
}  // namespace postern::outbound

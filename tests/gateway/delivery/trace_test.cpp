#include "gateway/delivery/trace.h"

#include "gateway/delivery/assemble.h"
#include "protocols/mime/header.h"
#include "protocols/mime/summary.h"

#include <gtest/gtest.h>

#include <random>

namespace postern::delivery {
namespace {

const Time when = from_unix_ms(1700000000000);

Arrival plain_arrival() {
    Arrival arrival;
    arrival.client_address = "192.0.2.7";
    arrival.helo = "client.example";
    arrival.esmtp = true;
    arrival.reverse_path = "a@remote.example";
    return arrival;
}

TEST(Received, NamesEverythingOfTheWay) {
    auto arrival = plain_arrival();
    EXPECT_EQ(
        received_field(arrival, "mx.example.net", "abc", "b@example.net", when),
        "Received: from client.example ([192.0.2.7])\r\n\tby mx.example.net (Postern) with ESMTP"
        "\r\n\tid abc\r\n\tfor <b@example.net>;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n");
    arrival.client_address = "2001:db8::1";
    arrival.tls_protocol = "TLSv1.3";
    arrival.tls_cipher = "TLS_AES_256_GCM_SHA384";
    EXPECT_EQ(received_field(arrival, "mx.example.net", "abc", "", when),
              "Received: from client.example ([IPv6:2001:db8::1])\r\n\tby mx.example.net (Postern) "
              "with ESMTPS\r\n\t(TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n\tid abc;"
              "\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n");
}

TEST(Received, AHeloCannotForgeAField) {
    auto arrival = plain_arrival();
    arrival.helo = "x\r\nX-Spam-Flag: NO; (a) <b>\x7f" + std::string(1000, 'h');
    const auto field = received_field(arrival, "mx", "id", "", when);
    EXPECT_EQ(field.find("\r\nX-"), std::string::npos);
    EXPECT_NE(field.find("x??X-Spam-Flag:?NO???a???b??hhh"), std::string::npos) << field;
    EXPECT_LT(field.size(), 400u);
    arrival.helo = "";
    EXPECT_EQ(received_field(arrival, "mx", "id", "", when).rfind("Received: from unknown (", 0),
              0u);
}

TEST(Received, WithProtocolNames) {
    Arrival arrival;
    EXPECT_EQ(with_protocol(arrival), "SMTP");
    arrival.esmtp = true;
    EXPECT_EQ(with_protocol(arrival), "ESMTP");
    arrival.tls_protocol = "TLSv1.3";
    EXPECT_EQ(with_protocol(arrival), "ESMTPS");
    arrival.authenticated_user = "a@b";
    EXPECT_EQ(with_protocol(arrival), "ESMTPSA");
    arrival.smtputf8 = true;
    EXPECT_EQ(with_protocol(arrival), "UTF8SMTPSA");
    arrival.lmtp = true;
    EXPECT_EQ(with_protocol(arrival), "UTF8LMTPSA");
    arrival.smtputf8 = false;
    EXPECT_EQ(with_protocol(arrival), "LMTPSA");
}

TEST(FoldedField, LinesStayShortAndUnfoldToTheSame) {
    std::string value = "Yes, score=7.2 required=5.0 tests=";
    for (int i = 0; i < 60; ++i) value += "SOME_SYMBOL_" + std::to_string(i) + "=1.5,";
    value += "LAST=1";
    const auto field = folded_field("X-Spam-Status", value);
    for (std::size_t at = 0; at < field.size();) {
        const auto end = field.find("\r\n", at);
        EXPECT_LE(end - at, 78u);
        at = end + 2;
    }
    auto without_spaces = [](std::string text) {
        std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
        return text;
    };
    EXPECT_EQ(without_spaces(field), without_spaces("X-Spam-Status:" + value));
    EXPECT_EQ(folded_field("A", ""), "A:\r\n");
    EXPECT_EQ(folded_field("A", "b"), "A: b\r\n");
    EXPECT_EQ(folded_field("A", "b\r\nC: d"), "A: b??C: d\r\n");
    EXPECT_EQ(folded_field("A", std::string(100, 'x')), "A: " + std::string(100, 'x') + "\r\n");
}

TEST(ForeignFields, OnlyOursAreTakenOut) {
    const std::string kept_fields =
        "Received: from a by b\r\n\tfor c\r\n"
        "Authentication-Results: other.example; spf=pass\r\n"
        "X-Spammer: no\r\nX-Posterns: no\r\nSubject: X-Spam-Flag: YES\r\n";
    const std::string body = "\r\nX-Spam-Flag: YES\r\nReturn-Path: <body>\r\n";
    std::string untouched = kept_fields + body;
    EXPECT_EQ(remove_foreign_fields(untouched, "mx.example.net"), 0u);
    EXPECT_EQ(untouched, kept_fields + body);

    std::string message =
        "Return-Path: <evil>\r\nx-spam-status: No,\r\n tests=NONE\r\n" + kept_fields +
        "X-SPAM-Score : -100\r\nX-Postern-Id: 1\r\n"
        "Authentication-Results: MX.example.NET; dkim=pass\r\n"
        "Authentication-Results: (comment (nested)) \"mx.example.net\" 1;\r\n\tspf=pass\r\n"
        "authentication-results:\r\n mx.example.net; none\r\nX-Spam-Flag: NO\r\n" +
        body;
    EXPECT_EQ(remove_foreign_fields(message, "mx.example.net"), 8u);
    EXPECT_EQ(message, kept_fields + body);
}

TEST(ForeignFields, OddMessages) {
    for (const std::string text :
         {"", "\r\n", "no header at all", "X", ":\r\n", " folded\r\n\r\nb"}) {
        std::string message = text;
        EXPECT_EQ(remove_foreign_fields(message, "mx"), 0u);
        EXPECT_EQ(message, text);
    }
    std::string unfinished = "X-Spam-Flag: NO";
    EXPECT_EQ(remove_foreign_fields(unfinished, "mx"), 1u);
    EXPECT_EQ(unfinished, "");
}

filters::Report spam_report() {
    filters::Report report;
    report.verdict = filters::Verdict::spam;
    report.score = 7.25;
    report.spam_threshold = 5;
    report.symbols.push_back({"SOME_RULE", "headers", "A rule", 7.25, {"seen"}});
    return report;
}

Assembled assembled(const std::string& body) {
    const Stamp stamp{"mx.example.net", "id1", "b@example.net", when};
    return assemble(body, plain_arrival(), stamp,
                    [](std::string_view, const mime::Message&) { return spam_report(); });
}

TEST(Assemble, StampsTheMessageAndKeepsItsBytes) {
    const std::string body = "Subject: hello\r\nX-Spam-Flag: NO\r\n\r\ntext\r\n";
    const auto message = assembled(body);
    EXPECT_EQ(message.removed_fields, 1u);
    const auto parsed = mime::parse(*message.bytes);
    const auto& root = parsed.parts.front();
    auto text = [&](const char* name) { return mime::header_text(root, *message.bytes, name); };
    EXPECT_EQ(text("Return-Path"), "<a@remote.example>");
    EXPECT_EQ(text("Authentication-Results"), "mx.example.net; none");
    EXPECT_EQ(text("X-Spam-Score"), "7.2");
    EXPECT_EQ(text("X-Spam-Flag"), "YES");
    EXPECT_EQ(text("X-Spam-Status").rfind("Yes, score=", 0), 0u);
    EXPECT_EQ(text("Subject"), "hello");
    EXPECT_TRUE(message.bytes->ends_with("Subject: hello\r\n\r\ntext\r\n"));
    auto report = filters::decode_report(message.report);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, filters::Verdict::spam);
    auto summary = mime::decode_summary(message.summary);
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->subject, "hello");
}

TEST(Assemble, AScoreThatRoundsToNothingHasNoSign) {
    const Stamp stamp{"mx.example.net", "id1", "b@example.net", when};
    const auto message = assemble("Subject: x\r\n\r\n", plain_arrival(), stamp,
                                  [](std::string_view, const mime::Message&) {
                                      auto report = spam_report();
                                      report.score = -0.04;
                                      return report;
                                  });
    EXPECT_NE(message.bytes->find("X-Spam-Score: 0.0\r\n"), std::string::npos);
}

// The summary that is made without reading the message again must be the one of the stored bytes.
TEST(Assemble, SummaryIsThatOfTheStoredBytes) {
    const std::string bodies[] = {
        "Subject: a\r\n\r\nbody\r\n",
        "Subject: a\r\n",
        "Subject: a\r\n\r\n",
        "\r\nonly a body\r\n",
        "",
        "no header here\r\nat all\r\n",
        " folded first line\r\nSubject: a\r\n\r\nbody\r\n",
        "\tX-Spam-Flag: NO\r\n\r\nbody",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\n"
        "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner\r\n--b--\r\nafter\r\n",
        "Subject: a\r\nno colon\r\nTo: b@c\r\n\r\nbody\r\n",
    };
    for (const auto& body : bodies) {
        SCOPED_TRACE(body);
        const auto message = assembled(body);
        const auto& whole = *message.bytes;
        EXPECT_EQ(message.summary,
                  mime::encode_summary(mime::summarize(mime::parse(whole), whole)));
        EXPECT_TRUE(whole.ends_with(body));
        const auto parsed = mime::parse(whole);
        EXPECT_EQ(mime::header_text(parsed.parts.front(), whole, "X-Spam-Flag"), "YES");
    }
}

TEST(Assemble, JudgeSeesTheMessageWithoutForgedFields) {
    const Stamp stamp{"mx.example.net", "id1", "", when};
    std::string seen;
    (void)assemble("X-Spam-Flag: NO\r\nSubject: x\r\n\r\nb\r\n", plain_arrival(), stamp,
                   [&](std::string_view bytes, const mime::Message& parsed) {
                       seen = bytes;
                       EXPECT_EQ(mime::header_text(parsed.parts.front(), bytes, "Subject"), "x");
                       return filters::Report{};
                   });
    EXPECT_EQ(seen, "Subject: x\r\n\r\nb\r\n");
}

TEST(Loop, MoreReceivedFieldsThanTheLimit) {
    for (const int over : {-1, 0, 1}) {
        std::string message;
        for (std::size_t i = 0; i < max_received_fields + static_cast<std::size_t>(over); ++i) {
            message += i % 2 == 0 ? "Received: from a\r\n\tby b\r\n" : "RECEIVED :x\r\n";
        }
        message += "Received-SPF: none\r\n\r\nReceived: in the body\r\n";
        EXPECT_EQ(is_in_a_loop(message), over > 0) << over;
    }
    EXPECT_FALSE(is_in_a_loop(""));
}

}  // namespace
}  // namespace postern::delivery

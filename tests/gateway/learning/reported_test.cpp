#include "gateway/learning/reported.h"

#include "filters/features/features.h"
#include "filters/input.h"
#include "protocols/mime/message.h"

namespace postern::learning {
namespace {

const std::string spam = "From: deals@shop.example\r\nSubject: offer\r\n\r\nBuy now\r\n";

std::string attached(const std::string& fields, const std::string& body) {
    return "--b\r\n" + fields + "\r\n" + body + "\r\n";
}
std::string report_of(const std::string& parts) {
    return "From: ann@example.org\r\nTo: spam@example.org\r\nSubject: Fwd\r\n"
           "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
           attached("Content-Type: text/plain\r\n", "please look") + parts + "--b--\r\n";
}
const std::string rfc822 = "Content-Type: message/rfc822\r\n";

TEST(Reported, AttachedMessagesAreTakenWhole) {
    const auto one = reported_messages(report_of(attached(rfc822, spam)));
    ASSERT_TRUE(one.has_value());
    EXPECT_EQ(*one, std::vector<std::string>{spam});
    const auto two = reported_messages(
        report_of(attached(rfc822, spam) +
                  attached("Content-Type: application/octet-stream; name=\"Offer.EML\"\r\n"
                           "Content-Transfer-Encoding: base64\r\n",
                           "U3ViamVjdDogeA0KDQp5DQo=")));
    ASSERT_TRUE(two.has_value());
    EXPECT_EQ(*two, (std::vector<std::string>{spam, "Subject: x\r\n\r\ny\r\n"}));
}

TEST(Reported, OneThatIsInsideAnotherIsPartOfIt) {
    const std::string inner = "Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n" + spam;
    const auto found = reported_messages(report_of(attached(rfc822, inner)));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(*found, std::vector<std::string>{inner});
    const auto bare = reported_messages("From: ann@example.org\r\n" + rfc822 + "\r\n" + spam);
    ASSERT_TRUE(bare.has_value());
    EXPECT_EQ(*bare, std::vector<std::string>{spam});
}

TEST(Reported, ARedirectedMessageIsTheReport) {
    const std::size_t from_line = spam.find("Subject");
    const auto found = reported_messages(
        "Resent-From: ann@example.org\r\n" + spam.substr(0, from_line) +
        "RESENT-Date: Mon, 1 Jan 2024\r\n 00:00:00 +0000\r\n" + spam.substr(from_line));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(*found, std::vector<std::string>{spam});
}

// What the user wrote around a quoted message must not be learned as spam.
TEST(Reported, AQuotedMessageIsNone) {
    for (const std::string& report :
         {std::string("From: ann@example.org\r\nSubject: Fwd: offer\r\n\r\n> Buy now\r\n"),
          report_of(""), std::string()}) {
        const auto found = reported_messages(report);
        ASSERT_FALSE(found.has_value());
        EXPECT_EQ(found.error().code, Errc::not_found);
    }
}

TEST(Reported, MessagesAtTheLimit) {
    for (const std::size_t count :
         {max_reported_messages - 1, max_reported_messages, max_reported_messages + 1}) {
        std::string parts;
        for (std::size_t i = 0; i < count; ++i) parts += attached(rfc822, spam);
        const auto found = reported_messages(report_of(parts));
        if (count > max_reported_messages) {
            ASSERT_FALSE(found.has_value());
            EXPECT_EQ(found.error().code, Errc::limit);
        } else {
            ASSERT_TRUE(found.has_value());
            EXPECT_EQ(found->size(), count);
        }
    }
}

// A report, a move in IMAP and the scan at reception must mean the same message.
TEST(Reported, JobsAreThoseOfTheMessageItself) {
    const std::string received = "Received: from x by y; Mon, 1 Jan 2024 00:00:00 +0000\r\n" + spam;
    const std::string stored =
        "Return-Path: <deals@shop.example>\r\nX-Spam-Status: No\r\n" + received;
    const auto jobs = jobs_of_report(report_of(attached(rfc822, stored)), LearnAction::spam,
                                     "ann@example.org", Time{});
    ASSERT_TRUE(jobs.has_value());
    ASSERT_EQ(jobs->size(), 1u);
    const auto parsed = mime::parse(received);
    const auto whole = filters::extract({received, parsed, {}, Time{}}).vector;
    EXPECT_EQ(jobs->front().features.digest.bytes, whole.digest.bytes);
    EXPECT_EQ(jobs->front().who, "ann@example.org");
    EXPECT_EQ(jobs->front().action, LearnAction::spam);
}

}  // namespace
}  // namespace postern::learning

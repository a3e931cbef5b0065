#include "protocols/mime/base_subject.h"

#include "protocols/mime/envelope.h"
#include "protocols/mime/envelope_reader.h"
#include "protocols/mime/summary.h"

#include <gtest/gtest.h>

#include <chrono>

namespace postern::mime {
namespace {

std::string base_of(std::string_view subject) {
    return base_subject(subject).text;
}

TEST(BaseSubject, TakesAwayWhatRepliesAndListsAdd) {
    for (const char* subject :
         {"hello", "Re: hello", "RE:hello", "re : hello", "Fwd: hello", "FW: hello",
          "Re: Re: hello", "Re: [list] hello", "[list] Re: hello", "Re[2]: hello", "hello (fwd)",
          "hello (FWD) ", "[fwd: hello]", "[Fwd: Re: hello]", "[a] [b] hello", "  Re:\t hello  ",
          "[a] re [b]: hello"}) {
        EXPECT_EQ(base_of(subject), "hello") << subject;
    }
    EXPECT_TRUE(base_subject("Re: x").is_reply);
    EXPECT_TRUE(base_subject("x (fwd)").is_reply);
    EXPECT_FALSE(base_subject("[list] x").is_reply);
}

TEST(BaseSubject, KeepsWhatOnlyLooksLikeIt) {
    EXPECT_EQ(base_of("Reply"), "Reply");
    EXPECT_EQ(base_of("[only a blob]"), "[only a blob]");
    EXPECT_EQ(base_of("Re"), "Re");
    EXPECT_EQ(base_of("a [b] c"), "a [b] c");
    EXPECT_EQ(base_of(""), "");
    EXPECT_EQ(base_of("Re:"), "");
    EXPECT_EQ(base_of("a  b\t c"), "a b c");
    EXPECT_EQ(base_of("[unclosed hello"), "[unclosed hello");
}

TEST(BaseSubject, IsLinearInHostileSubjects) {
    const auto begin = std::chrono::steady_clock::now();
    std::string blobs, replies, forwards;
    for (int i = 0; i < 20'000; ++i) {
        blobs += "[a]";
        replies += "Re:";
        forwards += "[fwd:";
    }
    base_subject(blobs);
    base_subject(blobs + "x");
    base_subject(replies);
    base_subject(forwards + std::string(20'000, ']'));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(EnvelopeReader, ReadsWhatIsWritten) {
    const std::string whole =
        "Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nSubject: a \"quoted\" \\ one\r\n"
        "From: \"Doe, J\" <j@example.net>\r\nTo: Team: a@b, c@d;, e@f\r\nMessage-ID: <m@x>\r\n"
        "In-Reply-To: <i@x>\r\n\r\n";
    const auto message = parse(whole);
    const auto read = read_envelope(write_envelope(message.parts[0], whole));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->subject, "a \"quoted\" \\ one");
    ASSERT_EQ(read->from.size(), 1u);
    EXPECT_EQ(read->from[0].name, "Doe, J");
    EXPECT_EQ(read->from[0].mailbox, "j");
    EXPECT_EQ(read->from[0].host, "example.net");
    EXPECT_EQ(read->to.size(), 5u);
    EXPECT_EQ(read->reply_to.size(), 1u);
    EXPECT_TRUE(read->cc.empty());
    EXPECT_EQ(read->in_reply_to, "<i@x>");
    EXPECT_EQ(read->message_id, "<m@x>");
}

TEST(EnvelopeReader, RefusesWhatIsCut) {
    const std::string whole = "From: a@b\r\nSubject: =?x\r\n\r\n";
    const auto message = parse(whole);
    const std::string text = write_envelope(message.parts[0], whole);
    ASSERT_TRUE(read_envelope(text));
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(read_envelope(std::string_view(text).substr(0, size))) << size;
    }
    EXPECT_FALSE(read_envelope("(" + text));
    EXPECT_FALSE(read_envelope("(\"a\" {99}\r\nb"));
}

TEST(Summary, KeepsWhatAMessageAnswers) {
    const auto references = [](const std::string& header) {
        const std::string whole = header + "\r\n\r\n";
        const auto summary = summarize(parse(whole), whole);
        return decode_summary(encode_summary(summary))->references;
    };
    EXPECT_EQ(references("References: <a@x>\r\n <b@x> junk <c@x>"), "<a@x> <b@x> <c@x>");
    EXPECT_EQ(references("In-Reply-To: Your message <a@x> and <b@x>"), "<a@x>");
    EXPECT_EQ(references("References: none\r\nIn-Reply-To: <a@x>"), "<a@x>");
    EXPECT_EQ(references("References: <broken a@x"), "");
    std::string many = "References:";
    for (int i = 0; i < 1000; ++i) many += " <" + std::to_string(i) + "@example.net>\r\n";
    many.erase(many.size() - 2);
    const std::string kept = references(many);
    EXPECT_LE(kept.size(), max_references_bytes);
    EXPECT_TRUE(kept.starts_with("<0@example.net> "));
    EXPECT_TRUE(kept.ends_with(" <999@example.net>"));
}

}  // namespace
}  // namespace postern::mime

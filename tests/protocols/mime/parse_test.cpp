#include "protocols/mime/header.h"
#include "protocols/mime/message.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::mime {
namespace {

// Bodies of all parts in order, for comparing a whole tree at once.
std::vector<std::string> bodies(const Message& message, std::string_view whole) {
    std::vector<std::string> out;
    for (const Part& part : message.parts) {
        out.push_back(part.type + '/' + part.subtype + ':' + std::string(part.body.of(whole)));
    }
    return out;
}

void expect_nested(const Message& message, std::string_view whole) {
    for (std::size_t i = 0; i < message.parts.size(); ++i) {
        const Part& part = message.parts[i];
        EXPECT_LE(part.header.begin, part.header.end);
        EXPECT_EQ(part.header.end, part.body.begin);
        EXPECT_LE(part.body.begin, part.body.end);
        EXPECT_LE(part.body.end, whole.size());
        std::uint64_t previous_end = part.body.begin;
        for (const int child : part.children) {
            const Part& inner = message.parts[static_cast<std::size_t>(child)];
            EXPECT_GT(child, static_cast<int>(i));
            EXPECT_EQ(inner.parent, static_cast<int>(i));
            EXPECT_GE(inner.header.begin, previous_end);
            EXPECT_LE(inner.body.end, part.body.end);
            previous_end = inner.body.end;
        }
    }
}

TEST(Parse, EmptyInputIsOneEmptyPart) {
    const Message message = parse("");
    ASSERT_EQ(message.parts.size(), 1u);
    EXPECT_EQ(message.parts[0].body, (Range{0, 0}));
    EXPECT_EQ(message.parts[0].type, "text");
    EXPECT_EQ(message.defects, 0);
}

TEST(Parse, SplitsHeaderAndBody) {
    const std::string mail = "Subject: hi\r\nTo: a@b\r\n\r\nbody\r\n";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts.size(), 1u);
    const Part& root = message.parts[0];
    EXPECT_EQ(root.header.of(mail), "Subject: hi\r\nTo: a@b\r\n\r\n");
    EXPECT_EQ(root.body.of(mail), "body\r\n");
    EXPECT_EQ(root.header_lines, 3u);
    EXPECT_EQ(root.body_lines, 1u);
    ASSERT_EQ(root.fields.size(), 2u);
    EXPECT_EQ(root.fields[0].name.of(mail), "Subject");
    EXPECT_EQ(root.fields[0].value.of(mail), " hi");
    EXPECT_EQ(root.fields[0].line.of(mail), "Subject: hi\r\n");
    EXPECT_EQ(message.defects, 0);
}

TEST(Parse, FoldsBelongToTheirField) {
    const std::string mail = "Subject: a\r\n b\r\n\tc\r\nTo: x\r\n\r\n";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts[0].fields.size(), 2u);
    EXPECT_EQ(message.parts[0].fields[0].value.of(mail), " a\r\n b\r\n\tc");
    EXPECT_EQ(header_text(message.parts[0], mail, "subject"), "a b\tc");
}

TEST(Parse, HeaderWithoutEmptyLine) {
    const std::string mail = "Subject: hi";
    const Message message = parse(mail);
    EXPECT_EQ(message.parts[0].header.of(mail), mail);
    EXPECT_EQ(message.parts[0].body.size(), 0u);
    EXPECT_EQ(header_text(message.parts[0], mail, "Subject"), "hi");
}

TEST(Parse, SpaceBeforeTheColonIsObsoleteButRead) {
    const std::string mail = "Subject : hi\r\n\r\n";
    const Message message = parse(mail);
    EXPECT_EQ(header_text(message.parts[0], mail, "Subject"), "hi");
    EXPECT_FALSE(message.has(Defect::bad_header_line));
}

TEST(Parse, BareLineEndsAreReadAndNoted) {
    const std::string lf = "A: 1\nB: 2\n\nbody\nline\n";
    const Message with_lf = parse(lf);
    EXPECT_EQ(with_lf.parts[0].fields.size(), 2u);
    EXPECT_EQ(with_lf.parts[0].body.of(lf), "body\nline\n");
    EXPECT_EQ(with_lf.parts[0].body_lines, 2u);
    EXPECT_TRUE(with_lf.has(Defect::bare_lf));
    EXPECT_FALSE(with_lf.has(Defect::bare_cr));

    const std::string cr = "A: 1\rB: 2\r\rbody\rline\r\n";
    const Message with_cr = parse(cr);
    EXPECT_EQ(with_cr.parts[0].fields.size(), 2u);
    EXPECT_EQ(with_cr.parts[0].body.of(cr), "body\rline\r\n");
    EXPECT_EQ(with_cr.parts[0].body_lines, 2u);
    EXPECT_TRUE(with_cr.has(Defect::bare_cr));
    EXPECT_FALSE(with_cr.has(Defect::bare_lf));
}

TEST(Parse, NotesNulAndRawEightBit) {
    const std::string mail = std::string("A: x") + '\0' + "\r\nB: \xE9\r\n\r\n";
    const Message message = parse(mail);
    EXPECT_TRUE(message.has(Defect::nul));
    EXPECT_TRUE(message.has(Defect::raw_8bit_header));
    EXPECT_FALSE(parse("A: x\r\n\r\n\xE9").has(Defect::raw_8bit_header));
}

TEST(Parse, JunkBetweenFieldsIsPassedOver) {
    const std::string mail = "A: 1\r\njunk without colon\r\nB: 2\r\n\r\nbody";
    const Message message = parse(mail);
    EXPECT_EQ(message.parts[0].fields.size(), 2u);
    EXPECT_EQ(message.parts[0].body.of(mail), "body");
    EXPECT_TRUE(message.has(Defect::bad_header_line));
}

TEST(Parse, TextWhereTheEmptyLineIsMissingIsBody) {
    const std::string mail = "A: 1\r\nDear reader,\r\n\r\nthe text\r\n";
    const Message message = parse(mail);
    EXPECT_EQ(message.parts[0].body.of(mail), "Dear reader,\r\n\r\nthe text\r\n");
    EXPECT_TRUE(message.has(Defect::bad_header_line));
}

TEST(Parse, LineOfBlanksEndsAHeaderOnlyBeforeText) {
    const std::string text = "A: 1\r\n \r\nDear reader\r\n";
    EXPECT_EQ(parse(text).parts[0].body.of(text), "Dear reader\r\n");
    const std::string fold = "A: 1\r\n \r\nB: 2\r\n\r\nbody";
    EXPECT_EQ(parse(fold).parts[0].fields.size(), 2u);
    EXPECT_EQ(parse(fold).parts[0].body.of(fold), "body");
}

TEST(Parse, FirstLineMayBeAFold) {
    const std::string mail = " lost\r\nA: 1\r\n\r\nbody";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts[0].fields.size(), 1u);
    EXPECT_EQ(message.parts[0].fields[0].value.of(mail), " 1");
    EXPECT_TRUE(message.has(Defect::bad_header_line));
}

TEST(Parse, MboxLineIsNoFieldAndNoDefect) {
    const std::string mail = "From joe@example.net Mon Sep  2 12:23:44 2002\nA: 1\n\nbody";
    const Message message = parse(mail);
    EXPECT_EQ(message.parts[0].fields.size(), 1u);
    EXPECT_EQ(message.parts[0].body.of(mail), "body");
    EXPECT_FALSE(message.has(Defect::bad_header_line));
    EXPECT_EQ(mbox_from_line_bytes(mail), 46u);
    EXPECT_EQ(mbox_from_line_bytes("From : joe@example.net\n"), 0u);
    EXPECT_EQ(mbox_from_line_bytes("From: joe@example.net\n"), 0u);
    EXPECT_EQ(mbox_from_line_bytes("From here"), 9u);
    EXPECT_EQ(mbox_from_line_bytes(""), 0u);
}

TEST(Parse, Multipart) {
    const std::string mail =
        "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
        "preamble\r\n--b\r\n\r\none\r\n--b  \t\r\nContent-Type: TEXT/HTML\r\n\r\n<p>\r\n\r\n"
        "--b--\r\nepilogue\r\n--b\r\nnot a part\r\n";
    const Message message = parse(mail);
    EXPECT_EQ(bodies(message, mail)[1], "text/plain:one");
    EXPECT_EQ(bodies(message, mail)[2], "text/html:<p>\r\n");
    EXPECT_EQ(message.parts.size(), 3u);
    EXPECT_EQ(message.parts[1].header.of(mail), "\r\n");
    EXPECT_EQ(message.parts[1].body_lines, 0u);
    EXPECT_EQ(message.parts[2].body_lines, 1u);
    EXPECT_EQ(message.parts[0].body.end, mail.size());
    EXPECT_EQ(message.defects, 0);
    expect_nested(message, mail);
}

TEST(Parse, BoundaryMustBeTheWholeLine) {
    const std::string mail =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--bc\r\n --b\r\n--b-\r\nx--b"
        "\r\n--b--\r\n";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts.size(), 2u);
    EXPECT_EQ(message.parts[1].body.of(mail), "--bc\r\n --b\r\n--b-\r\nx--b");
}

TEST(Parse, NestedBoundaryThatExtendsTheOuterOne) {
    const std::string mail =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: multipart/alternative; boundary=\"b--\"\n\n"
        "--b--\n\ninner\n--b----\n--b\n\nouter\n--b--\n";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts.size(), 4u);
    EXPECT_EQ(bodies(message, mail)[2], "text/plain:inner");
    EXPECT_EQ(bodies(message, mail)[3], "text/plain:outer");
    EXPECT_EQ(message.parts[3].parent, 0);
    EXPECT_FALSE(message.has(Defect::unterminated));
}

TEST(Parse, OuterDelimiterClosesWhatIsOpenInside) {
    const std::string mail =
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
        "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\ninner\r\n--o\r\n\r\nouter";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts.size(), 4u);
    EXPECT_EQ(bodies(message, mail)[1], "multipart/mixed:--i\r\n\r\ninner");
    EXPECT_EQ(bodies(message, mail)[2], "text/plain:inner");
    EXPECT_EQ(bodies(message, mail)[3], "text/plain:outer");
    EXPECT_TRUE(message.has(Defect::unterminated));
    expect_nested(message, mail);
}

TEST(Parse, SameBoundaryInsideBelongsToTheInnermost) {
    const std::string mail =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts.size(), 4u);
    EXPECT_EQ(message.parts[2].parent, 1);
    EXPECT_EQ(message.parts[3].parent, 0);
}

TEST(Parse, DelimiterInsideAHeaderEndsThePart) {
    const std::string mail =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\n\n"
        "two\n--b--\n";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts.size(), 3u);
    EXPECT_EQ(bodies(message, mail)[1], "text/html:");
    EXPECT_EQ(bodies(message, mail)[2], "text/plain:two");
    expect_nested(message, mail);
}

TEST(Parse, DelimitersWithNothingBetween) {
    const std::string mail =
        "Content-Type: multipart/mixed; boundary=o\n\n--o\n"
        "Content-Type: multipart/mixed; boundary=i\n\n--i\n--i\n--o\n--o--";
    const Message message = parse(mail);
    EXPECT_EQ(message.parts.size(), 5u);
    expect_nested(message, mail);
}

TEST(Parse, BoundaryAsRealMailWritesIt) {
    for (const std::string parameter :
         {"boundary=----=_Part=1", "boundary=\"----=_Part=1 \"", "BOUNDARY = ----=_Part=1 (x)",
          "charset=x; boundary=----=_Part=1", "boundary*0=\"----=_\"; boundary*1=\"Part=1\"",
          "charset=\"x\" boundary=\"----=_Part=1\""}) {
        const std::string mail = "Content-Type: multipart/mixed; " + parameter +
                                 "\r\n\r\n------=_Part=1\r\n\r\none\r\n------=_Part=1--\r\n";
        const Message message = parse(mail);
        ASSERT_EQ(message.parts.size(), 2u) << parameter;
        EXPECT_EQ(message.parts[1].body.of(mail), "one") << parameter;
    }
}

TEST(Parse, MultipartWithoutUsableBoundary) {
    for (const std::string type :
         {"multipart/mixed", "multipart/mixed; boundary=\"\"", "multipart/mixed; boundary=never"}) {
        const std::string mail = "Content-Type: " + type + "\r\n\r\n--b\r\n\r\none\r\n--b--\r\n";
        const Message message = parse(mail);
        EXPECT_EQ(message.parts.size(), 1u) << type;
        EXPECT_TRUE(message.has(Defect::missing_boundary)) << type;
        EXPECT_TRUE(message.parts[0].holds_text()) << type;
        EXPECT_EQ(message.parts[0].body.end, mail.size());
    }
    EXPECT_TRUE(parse("Content-Type: multipart/mixed; boundary=b\n\ntext\n--b--\n")
                    .has(Defect::missing_boundary));
}

TEST(Parse, EmbeddedMessage) {
    const std::string mail =
        "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b--\r\n";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts.size(), 3u);
    EXPECT_EQ(message.parts[0].children, std::vector<int>{1});
    EXPECT_EQ(message.parts[1].header.begin, message.parts[0].body.begin);
    EXPECT_EQ(header_text(message.parts[1], mail, "Subject"), "in");
    EXPECT_EQ(message.parts[2].body.of(mail), "text");
    EXPECT_EQ(message.parts[0].body.end, mail.size());
    EXPECT_EQ(message.parts[0].body_lines, 7u);
    expect_nested(message, mail);
}

TEST(Parse, EncodedEmbeddedMessageStaysClosed) {
    const std::string mail =
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDo=";
    EXPECT_EQ(parse(mail).parts.size(), 1u);
}

TEST(Parse, PartsOfADigestAreMessages) {
    const std::string mail =
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nfirst\n--b\n"
        "Content-Type: text/plain\n\nsecond\n--b--\n";
    const Message message = parse(mail);
    ASSERT_EQ(message.parts.size(), 4u);
    EXPECT_TRUE(message.parts[1].is_message());
    EXPECT_EQ(header_text(message.parts[2], mail, "Subject"), "one");
    EXPECT_EQ(message.parts[2].body.of(mail), "first");
    EXPECT_EQ(bodies(message, mail)[3], "text/plain:second");
}

TEST(Parse, ContentTypeDefaultsAndOddForms) {
    const auto type_of = [](const std::string& value) {
        const std::string mail = "Content-Type: " + value + "\r\n\r\n";
        const Message message = parse(mail);
        return message.parts[0].type + '/' + message.parts[0].subtype;
    };
    EXPECT_EQ(type_of("Text/HTML"), "text/html");
    EXPECT_EQ(type_of("(c) text (d) / (e) html (f); charset=x"), "text/html");
    EXPECT_EQ(type_of("text"), "text/plain");
    EXPECT_EQ(type_of("text/"), "text/plain");
    EXPECT_EQ(type_of("/html"), "text/plain");
    EXPECT_EQ(type_of(""), "text/plain");
    EXPECT_EQ(type_of("application/vnd.x-y+z"), "application/vnd.x-y+z");
    const std::string twice = "Content-Type: text/html\nContent-Type: image/png\n\n";
    EXPECT_EQ(parse(twice).parts[0].type, "text");
}

TEST(Parse, TransferEncodingAndDisposition) {
    const std::string mail =
        "Content-Transfer-Encoding: (c) Base64 \r\n"
        "Content-Disposition: Attachment; filename=\"a b.txt\"; size=3\r\n\r\n";
    const Part part = parse(mail).parts[0];
    EXPECT_EQ(part.encoding, Encoding::base64);
    EXPECT_EQ(part.disposition, "attachment");
    ASSERT_NE(find_parameter(part.disposition_parameters, "filename"), nullptr);
    EXPECT_EQ(*find_parameter(part.disposition_parameters, "filename"), "a b.txt");
    EXPECT_EQ(parse("Content-Transfer-Encoding: x-uue\n\n").parts[0].encoding, Encoding::unknown);
    EXPECT_EQ(parse("Content-Transfer-Encoding: 8BIT\n\n").parts[0].encoding, Encoding::identity);
}

TEST(Parse, MultipartIsNeverEncodedAsAWhole) {
    const std::string mail =
        "Content-Transfer-Encoding: base64\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\n\none\n--b--\n";
    EXPECT_EQ(parse(mail).parts[0].encoding, Encoding::identity);
    EXPECT_EQ(parse(mail).parts.size(), 2u);
}

}  // namespace
}  // namespace postern::mime

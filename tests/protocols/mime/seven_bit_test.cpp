#include "protocols/mime/seven_bit.h"

#include "protocols/mime/address.h"
#include "protocols/mime/charset.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/header.h"
#include "protocols/mime/message.h"
#include "protocols/mime/transfer_encode.h"

#include <gtest/gtest.h>

namespace postern::mime {
namespace {

std::string reduced(std::string_view whole) {
    const auto out = to_seven_bit(whole);
    return out ? *out : "error: " + out.error().text;
}

// What a reader sees of a part.
std::string text_of(const std::string& whole, std::size_t part) {
    return decoded_text(parse(whole).parts.at(part), whole, 1'000'000);
}

TEST(QuotedPrintable, LinesStayAndAreShort) {
    EXPECT_EQ(encode_quoted_printable("a=b\r\n\xC3\xA9 \r\n.\r\nFrom x\r\nFromage\t\r\n"),
              "a=3Db\r\n=C3=A9=20\r\n=2E\r\n=46rom x\r\nFromage=09\r\n");
    EXPECT_EQ(encode_quoted_printable("a\nb\rc"), "a=0Ab=0Dc");
    const std::string line(76, 'x');
    EXPECT_EQ(encode_quoted_printable(line), line);
    EXPECT_EQ(encode_quoted_printable(line + "x"), line.substr(1) + "=\r\nxx");
    EXPECT_EQ(encode_quoted_printable(std::string(74, 'x') + "\xE9"),
              std::string(74, 'x') + "=\r\n=E9");
    EXPECT_EQ(encode_quoted_printable(std::string(73, 'x') + "\xE9"), std::string(73, 'x') + "=E9");
}

TEST(QuotedPrintable, DecodesToWhatItWas) {
    std::string all;
    for (int i = 0; i < 2000; ++i) all += static_cast<char>(i * 7 % 256);
    all += "\r\n \r\n\t";
    EXPECT_EQ(decode_content(encode_quoted_printable(all), Encoding::quoted_printable, 1'000'000),
              all);
}

TEST(SevenBit, AsciiStays) {
    const std::string whole = "Subject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\ntext\r\n";
    EXPECT_EQ(reduced(whole), whole);
}

TEST(SevenBit, OneText) {
    EXPECT_EQ(reduced("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                      "Content-Transfer-Encoding: 8bit\r\nX: y\r\n\r\nein sch\xC3\xB6ner Tag\r\n"),
              "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\nX: y\r\n\r\n"
              "ein sch=C3=B6ner Tag\r\n");
}

TEST(SevenBit, Base64WhereItIsShorter) {
    const auto out = reduced(
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
        "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82\r\n");
    EXPECT_NE(out.find("Encoding: base64\r\n\r\n0L/RgNC40LLQtdGCDQo=\r\n"), std::string::npos)
        << out;
}

TEST(SevenBit, WhatSaysNothingIsDescribed) {
    EXPECT_EQ(reduced("Subject: x\r\n\r\nsch\xC3\xB6n, so lang der Tag ist\r\n"),
              "Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n"
              "Content-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\r\n"
              "sch=C3=B6n, so lang der Tag ist\r\n");
    EXPECT_NE(reduced("Subject: x\r\n\r\nsch\xF6n und weiter\r\n").find("charset=unknown-8bit"),
              std::string::npos);
}

TEST(SevenBit, EachPartByItself) {
    const std::string whole =
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\nsch\xF6n und gut so\r\n"
        "--b\r\n\r\nplain\r\n"
        "--b\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\r\n"
        "--b\r\n\r\nmit \xC3\xA4 ohne alles\r\n--b--\r\n";
    EXPECT_EQ(reduced(whole),
              "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
              "Content-Transfer-Encoding: 7bit\r\n\r\n"
              "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n\r\nsch=F6n und gut so\r\n"
              "--b\r\n\r\nplain\r\n"
              "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
              "iVBORw0K\r\n"
              "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n\r\nmit =C3=A4 ohne alles\r\n--b--\r\n");
}

TEST(SevenBit, AMessageInside) {
    const auto out = reduced(
        "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"
        "\r\nSubject: \xC3\xA4\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nein \xC3\xB6 im "
        "Text\r\n");
    EXPECT_EQ(out,
              "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
              "Content-Transfer-Encoding: 7bit\r\n\r\nSubject: =?UTF-8?B?w6Q=?=\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n\r\n"
              "ein =C3=B6 im Text\r\n");
}

TEST(SevenBit, GlobalMessagesMayBeEncoded) {
    const std::string inner =
        "From: <\xC3\xA4@b.example>\r\n\r\nmore text than one would think\r\n";
    const std::string whole = "MIME-Version: 1.0\r\nContent-Type: message/global\r\n\r\n" + inner;
    for (const auto& out : {to_seven_bit(whole), with_ascii_header(whole)}) {
        ASSERT_TRUE(out) << out.error().text;
        const auto parsed = parse(*out);
        EXPECT_EQ(parsed.parts[0].encoding, Encoding::quoted_printable);
        EXPECT_EQ(decode_content(parsed.parts[0].body.of(*out), parsed.parts[0].encoding, 1000),
                  inner);
    }
}

TEST(SevenBit, WhatMayNotBeTouched) {
    EXPECT_EQ(reduced("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xC3\xA4\r\n"
                      "--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"),
              "error: bytes over 127 inside of multipart/signed");
    EXPECT_EQ(reduced("Content-Type: message/partial; id=a; number=1\r\n\r\nx\r\n\r\n\xC3\xA4\r\n"),
              "error: bytes over 127 in a part of type message/partial");
    EXPECT_EQ(reduced("Content-Type: multipart/mixed\r\n\r\n\xC3\xA4\r\n"),
              "error: bytes over 127 in a part of type multipart/mixed");
    EXPECT_EQ(reduced("Content-Type: multipart/mixed; boundary=b\r\n\r\n\xC3\xA4\r\n--b\r\n\r\n"
                      "x\r\n--b--\r\n"),
              "error: bytes over 127 between parts");
    EXPECT_EQ(reduced("Content-Transfer-Encoding: base64\r\n\r\n\xC3\xA4\r\n"),
              "error: bytes over 127 in a part of another transfer encoding");
    EXPECT_EQ(reduced("Content-Transfer-Encoding: x-uuencode\r\n\r\n\xC3\xA4\r\n"),
              "error: bytes over 127 in a part of another transfer encoding");
    EXPECT_EQ(reduced("From: \xC3\xA4@b.example\r\n\r\nx\r\n"),
              "error: bytes over 127 in the field From");
}

TEST(SevenBit, AsciiInsideOfASignatureStaysByteForByte) {
    const std::string part = "--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n--b\r\n\r\ny\r\n";
    const auto out = reduced(
        "Subject: \xC3\xA4\r\nContent-Type: multipart/signed; boundary=b\r\n"
        "\r\n" +
        part + "--b--\r\n");
    EXPECT_NE(out.find(part), std::string::npos) << out;
    EXPECT_TRUE(is_ascii(out));
}

TEST(SevenBit, QuotedPrintableThatIsNoneIsMended) {
    EXPECT_EQ(reduced("Content-Transfer-Encoding: quoted-printable\r\n\r\n=3D\xC3\xA4=\r\nx\r\n"),
              "Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n\r\n"
              "=3D=C3=A4=\r\nx\r\n");
}

TEST(SevenBit, AReaderSeesTheSame) {
    std::string body;
    for (int i = 0; i < 300; ++i)
        body += "Zeile " + std::to_string(i) + " gr\xC3\xBC\xC3\x9F=t \r\n";
    const auto out = reduced("Content-Type: text/plain; charset=utf-8\r\n\r\n" + body);
    ASSERT_TRUE(is_ascii(out));
    EXPECT_EQ(text_of(out, 0), body);
}

std::string field(const std::string& line) {
    const auto out = with_ascii_header(line +
                                       "\r\n\r\nb\xC3\xB6"
                                       "dy\r\n");
    if (!out) return "error";
    EXPECT_TRUE(
        out->ends_with("\r\n\r\nb\xC3\xB6"
                       "dy\r\n"))
        << *out;
    return out->substr(0, out->find("\r\n\r\n"));
}

TEST(AsciiHeader, Text) {
    EXPECT_EQ(field("Subject: gr\xC3\xBC\xC3\x9F"), "Subject: =?UTF-8?B?Z3LDvMOf?=");
    EXPECT_EQ(field("Subject: gr\xFC\xDF"), "Subject: =?UTF-8?B?Z3LDvMOf?=");
    EXPECT_EQ(field("Subject: plain"), "Subject: plain");
    // A word that stands there already is not encoded twice.
    EXPECT_EQ(field("Subject: =?utf-8?q?gr=C3=BC?= \xC3\x9F"), "Subject: =?UTF-8?B?Z3LDvCDDnw==?=");
    std::string text;
    for (int i = 0; i < 60; ++i) text += "\xC3\xA4";
    const auto out = field("X-Long: " + text);
    const auto parsed = parse(out);
    EXPECT_EQ(header_text(parsed.parts[0], out, "X-Long"), text);
    for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 2) {
        end = out.find("\r\n", at);
        EXPECT_LE(std::min(end, out.size()) - at, 78u);
    }
}

TEST(AsciiHeader, Addresses) {
    EXPECT_EQ(field("From: J\xC3\xBCrgen <j@b.example>"),
              "From: =?UTF-8?B?SsO8cmdlbg==?= <j@b.example>");
    EXPECT_EQ(field("To: \"Doe, J.\" <j@b.example>, \"\xC3\xA4\" <\"a b\"@b.example>, c@d.example"),
              "To: \"Doe, J.\" <j@b.example>,\r\n =?UTF-8?B?w6Q=?= <\"a b\"@b.example>,\r\n"
              " c@d.example");
    EXPECT_EQ(field("Cc: Gr\xC3\xBCn: a@b.example, c@d.example;, e@f.example"),
              "Cc: =?UTF-8?B?R3LDvG4=?=: a@b.example,\r\n c@d.example;,\r\n e@f.example");
    EXPECT_EQ(field("Cc: \xC3\xA4:;"), "Cc: =?UTF-8?B?w6Q=?=:;");
    // The domain has a form in ASCII, the local part has none.
    EXPECT_EQ(field("From: x@b\xC3\xBC"
                    "cher.example"),
              "From: x@xn--bcher-kva.example");
    EXPECT_EQ(field("From: J <\xC3\xBC@b.example>"), "error");
    EXPECT_EQ(field("To: nobody \xC3\xBC"), "error");
    std::string many = "To: \xC3\xA4 <a@b.example>";
    for (std::size_t i = 1; i < max_addresses - 1; ++i) many += ",\r\n b@c.example";
    EXPECT_NE(field(many), "error");
    EXPECT_EQ(field(many + ",\r\n b@c.example"), "error");
}

TEST(AsciiHeader, Parameters) {
    EXPECT_EQ(field("Content-Type: text/plain; name=\"\xC3\xA4.txt\"; charset=utf-8; x=\"a b\""),
              "Content-Type: text/plain;\r\n name*=utf-8''%C3%A4.txt;\r\n charset=utf-8;\r\n"
              " x=\"a b\"");
    EXPECT_EQ(field("Content-Disposition: attachment; filename=\"\xC3\xA4\""),
              "Content-Disposition: attachment;\r\n filename*=utf-8''%C3%A4");
    EXPECT_EQ(field("Content-Type: multipart/mixed; boundary=\"\xC3\xA4\""), "error");
    std::string name;
    for (int i = 0; i < 40; ++i) name += "\xC3\xA4";
    const auto out = field("Content-Disposition: attachment; filename=\"" + name + "\"");
    EXPECT_NE(out.find("filename*0*=utf-8''"), std::string::npos);
    EXPECT_EQ(parse(out).parts[0].disposition_parameters.at(0).value, name);
}

TEST(AsciiHeader, FieldsWithoutSuchAForm) {
    EXPECT_EQ(field("Message-ID: <\xC3\xA4@b.example>"), "error");
    EXPECT_EQ(field("Date: Mon, 1 Jan 2024 \xC3\xA4"), "error");
}

// RFC 6857 section 3.2: a reader can do without them, the threads' names are kept.
TEST(AsciiHeader, WhatRepliesPointToIsPutAside) {
    EXPECT_EQ(field("References: <\xC3\xA4@b>"), "Downgraded-References: =?UTF-8?B?PMOkQGI+?=");
    EXPECT_EQ(field("In-Reply-To: <\xC3\xA4@b>"), "Downgraded-In-Reply-To: =?UTF-8?B?PMOkQGI+?=");
}

TEST(AsciiHeader, Comments) {
    EXPECT_EQ(field("Date: Mon, 1 Jan 2024 00:00:00 +0000 (\xC3\xA4)"),
              "Date: Mon, 1 Jan 2024 00:00:00 +0000 (=?UTF-8?B?w6Q=?=)");
    EXPECT_EQ(field("MIME-Version: 1.0 (a (b\\)) \xC3\xA4) c"),
              "MIME-Version: 1.0 (=?UTF-8?B?YSAoYlwpKSDDpA==?=) c");
    EXPECT_EQ(field("MIME-Version: \xC3\xA4"), "error");
    EXPECT_EQ(field("MIME-Version: 1.0 (\xC3\xA4"), "MIME-Version: 1.0 (=?UTF-8?B?w6Q=?=)");
}

TEST(AsciiHeader, ReceivedStaysReadable) {
    EXPECT_EQ(
        field("Received: from a.example (b [192.0.2.1])\r\n\tby c.example with UTF8SMTP id 7\r\n"
              "\tfor <\xC3\xBC@d.example>;\r\n\tMon, 1 Jan 2024 00:00:00 +0000"),
        "Received: from a.example (b [192.0.2.1])\r\n\tby c.example with UTF8SMTP id 7;\r\n"
        "\tMon, 1 Jan 2024 00:00:00 +0000");
    EXPECT_EQ(field("Received: from b\xC3\xBC"
                    "cher.example (\xC3\xA4 x) by c FOR (x) <\"\xC3\xBC ;\"@d>; now"),
              "Received: from xn--bcher-kva.example (=?UTF-8?B?w6QgeA==?=) by c; now");
    EXPECT_EQ(field("Received: from a_\xFC.example by c for <b@c>; now"),
              "Received: from =?UTF-8?B?YV/DvC5leGFtcGxl?= by c for <b@c>; now");
    EXPECT_EQ(field("Received: for \xC3\xBC@d.example"), "Received:");
    EXPECT_EQ(field("Received:for \xC3\xBC"), "Received:for xn--tda");
}

TEST(AsciiHeader, AddressesOfTheWayHereMayBecomeText) {
    EXPECT_EQ(field("Delivered-To: x@b\xC3\xBC"
                    "cher.example"),
              "Delivered-To: x@xn--bcher-kva.example");
    EXPECT_EQ(field("Delivered-To: \xC3\xBC@b"), "Delivered-To: =?UTF-8?B?w7xAYg==?=");
}

TEST(AsciiHeader, TheReasonNamesTheField) {
    const auto out = with_ascii_header("Message-ID: <\xC3\xA4@b>\r\n\r\n");
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().text, "bytes over 127 in the field Message-ID");
}

TEST(SevenBit, WhereSmtputf8IsNeeded) {
    const auto with = [](const std::string& header, const std::string& body) {
        return "MIME-Version: 1.0\r\n" + header + "\r\n" + body;
    };
    EXPECT_FALSE(has_8bit_header(""));
    EXPECT_FALSE(has_8bit_header(with("Subject: x\r\n", "x\r\n")));
    EXPECT_FALSE(has_8bit_header(with("Subject: x\r\n", "\xc3\xa9\r\n")));
    EXPECT_TRUE(has_8bit_header(with("Subject: \xc3\xa9\r\n", "x\r\n")));
    const std::string mixed = "Content-Type: multipart/mixed; boundary=b\r\n";
    EXPECT_FALSE(has_8bit_header(with(mixed, "--b\r\n\r\n\xc3\xa9\r\n--b--\r\n")));
    EXPECT_TRUE(
        has_8bit_header(with(mixed, "--b\r\nContent-Description: \xc3\xa9\r\n\r\nx\r\n--b--\r\n")));
    EXPECT_TRUE(has_8bit_header(
        with("Content-Type: message/rfc822\r\n", "Subject: \xc3\xa9\r\n\r\nx\r\n")));
}

}  // namespace
}  // namespace postern::mime

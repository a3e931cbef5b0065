#include "gateway/imap_service/search.h"

#include "tests/gateway/imap_service/mailbox_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::imap_service {
namespace {

using imap::SearchKey;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = SearchKey::Kind;

SearchKey text_key(Kind kind, std::string text, std::string name = {}) {
    SearchKey key;
    key.kind = kind;
    key.text = std::move(text);
    key.name = std::move(name);
    return key;
}
SearchKey number_key(Kind kind, std::int64_t number) {
    SearchKey key;
    key.kind = kind;
    key.number = number;
    return key;
}
SearchKey flag_key(Kind kind, SystemFlag flag) {
    SearchKey key;
    key.kind = kind;
    key.flag = static_cast<std::uint8_t>(flag);
    return key;
}
SearchKey uids_key(UidSet uids) {
    SearchKey key;
    key.kind = Kind::uids;
    key.uids = std::move(uids);
    return key;
}
SearchKey join(Kind kind, std::vector<SearchKey> children) {
    SearchKey key;
    key.kind = kind;
    key.children = std::move(children);
    return key;
}

class SearchTest : public MailboxTest {
protected:
    std::vector<Uid> find(const SearchKey& key) {
        auto found = search(*mail_, box("INBOX"), key, stopped_);
        EXPECT_TRUE(found.has_value()) << (found ? "" : found.error().text);
        return found ? found->to_vector() : std::vector<Uid>{};
    }

    std::atomic<bool> stopped_{false};
};

// However the first piece of a header that is read ends: before, in or behind a field's name.
TEST_F(SearchTest, TextIsFoundInAllOfALongHeader) {
    constexpr std::size_t piece_bytes = 64 * 1024;
    for (const std::size_t begin : {piece_bytes, piece_bytes - 3, piece_bytes - 12}) {
        std::string text = "Subject: x\n";
        std::size_t size = text.size() + 1;  // with CRLF
        const auto fill = [&](std::size_t bytes) {
            const std::string name = "X-Filler: ";
            text += name + std::string(bytes - name.size() - 2, 'f') + "\n";
            size += bytes;
        };
        while (size + 200 < begin) fill(100);
        fill(begin - size);
        add(text + "X-Deep: needle\nX-Last: haystack\n\nbody\n");
    }
    EXPECT_THAT(find(text_key(Kind::text, "haystack")), ElementsAre(1, 2, 3));
    EXPECT_THAT(find(text_key(Kind::body, "haystack")), IsEmpty());
}

TEST_F(SearchTest, FlagsAndSetsNeedNoRows) {
    Flags seen;
    seen.set(SystemFlag::seen);
    Flags labelled;
    labelled.keywords = {"Work"};
    add("Subject: 1\n\n");
    add("Subject: 2\n\n", seen);
    add("Subject: 3\n\n", labelled);
    const auto is_seen = flag_key(Kind::system_flag, SystemFlag::seen);
    EXPECT_THAT(find({}), ElementsAre(1, 2, 3));
    EXPECT_THAT(find(is_seen), ElementsAre(2));
    EXPECT_THAT(find(flag_key(Kind::no_system_flag, SystemFlag::seen)), ElementsAre(1, 3));
    EXPECT_THAT(find(text_key(Kind::keyword, "", "work")), ElementsAre(3));
    EXPECT_THAT(find(text_key(Kind::no_keyword, "", "WORK")), ElementsAre(1, 2));
    EXPECT_THAT(find(text_key(Kind::keyword, "", "none")), IsEmpty());
    EXPECT_THAT(find(uids_key({2, 3, 9})), ElementsAre(2, 3));
    EXPECT_THAT(find(join(Kind::not_, {is_seen})), ElementsAre(1, 3));
    EXPECT_THAT(find(join(Kind::or_, {is_seen, uids_key({1})})), ElementsAre(1, 2));
    EXPECT_THAT(find(join(Kind::and_, {is_seen, uids_key({1})})), IsEmpty());
    EXPECT_FALSE(needs_rows(join(Kind::and_, {is_seen, uids_key({1})})));
    EXPECT_TRUE(needs_rows(join(Kind::and_, {is_seen, number_key(Kind::larger, 1)})));
}

TEST_F(SearchTest, SizesAndInternalDates) {
    add("Subject: 1\n\n", {}, 100);
    add("Subject: 2\n\n0123456789\n", {}, 101);
    EXPECT_THAT(find(number_key(Kind::larger, 14)), ElementsAre(2));
    EXPECT_THAT(find(number_key(Kind::larger, 13)), ElementsAre(1, 2));
    EXPECT_THAT(find(number_key(Kind::smaller, 14)), IsEmpty());
    EXPECT_THAT(find(number_key(Kind::smaller, 15)), ElementsAre(1));
    EXPECT_THAT(find(number_key(Kind::before, 101)), ElementsAre(1));
    EXPECT_THAT(find(number_key(Kind::on, 101)), ElementsAre(2));
    EXPECT_THAT(find(number_key(Kind::since, 101)), ElementsAre(2));
    EXPECT_THAT(find(number_key(Kind::since, 100)), ElementsAre(1, 2));
}

// 2024-01-02 is day 19724; the zone of the Date field is disregarded.
TEST_F(SearchTest, SentDatesWithAndWithoutSummary) {
    for (const bool summary : {true, false}) {
        add("Date: Tue, 2 Jan 2024 23:30:00 -0800\n\n", {}, 1, summary);
        add("Date: Wed, 3 Jan 2024 00:30:00 +1400\n\n", {}, 1, summary);
        add("Subject: no date\n\n", {}, 1, summary);
        add("Date: garbage\n\n", {}, 1, summary);
    }
    EXPECT_THAT(find(number_key(Kind::sent_on, 19'724)), ElementsAre(1, 5));
    EXPECT_THAT(find(number_key(Kind::sent_since, 19'725)), ElementsAre(2, 6));
    EXPECT_THAT(find(number_key(Kind::sent_before, 19'725)), ElementsAre(1, 5));
}

TEST_F(SearchTest, HeadersAreDecodedAndFolded) {
    add("Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus?=\n =?ISO-8859-1?Q?_K=F6ln?=\n"
        "From: Ann <ann@example.org>\nTo: list@example.net\nCc: c@x.example\nBcc: d@y.example\n"
        "X-Tag: one\nX-Tag: two\nX-Empty:\n\nbody\n");
    add("Subject: other\nFrom: bob@example.com\n\n");
    EXPECT_THAT(find(text_key(Kind::subject, "GRÜSSE AUS KÖLN")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::from, "ANN@")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::from, "example")), ElementsAre(1, 2));
    EXPECT_THAT(find(text_key(Kind::to, "list@")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::cc, "c@x")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::bcc, "d@y")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::header, "two", "x-TAG")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::header, "", "X-Empty")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::header, "", "X-None")), IsEmpty());
    EXPECT_THAT(find(text_key(Kind::subject, "body")), IsEmpty());
}

TEST_F(SearchTest, AddressesAreFoundThroughCommentsAndQuotes) {
    add("From: <Joe (work)@ (here) Domain.example>\nTo: \"a b\"@example.org\n\nbody\n");
    add("Cc: group: one@x.example, two @ y.example;\nBcc: z@example.org (Zoe)\n\nbody\n");
    EXPECT_THAT(find(text_key(Kind::from, "joe@domain.example")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::from, "(WORK)@ (here)")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::header, "joe@domain", "From")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::text, "joe@domain.example")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::to, "a b@example.org")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::cc, "two@y.example")), ElementsAre(2));
    EXPECT_THAT(find(text_key(Kind::cc, "group")), ElementsAre(2));
    EXPECT_THAT(find(text_key(Kind::bcc, "zoe")), ElementsAre(2));
    EXPECT_THAT(find(text_key(Kind::to, "joe@domain.example")), IsEmpty());
}

TEST_F(SearchTest, BodiesAreDecodedAndHtmlIsReadAsShown) {
    add("Subject: plain\nContent-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: quoted-printable\n\nStra=DFe und lan=\nge Zeile\n");
    add("Subject: html\nContent-Type: text/html\n\n"
        "<p>Click <b>he</b>re</p><a href=\"http://example.org/x\">now</a>\n");
    add("Subject: base64\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGVsbG8gd29ybGQ=\n"
        "--b\nContent-Type: application/pdf; name=\"Invoice.pdf\"\n\nhidden binary\n--b--\n");
    EXPECT_THAT(find(text_key(Kind::body, "STRASSE")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::body, "lange zeile")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::body, "click here")), ElementsAre(2));
    EXPECT_THAT(find(text_key(Kind::body, "http://example.org")), ElementsAre(2));
    EXPECT_THAT(find(text_key(Kind::body, "Hello World")), ElementsAre(3));
    EXPECT_THAT(find(text_key(Kind::body, "invoice.PDF")), ElementsAre(3));
    EXPECT_THAT(find(text_key(Kind::body, "hidden binary")), IsEmpty());
    EXPECT_THAT(find(text_key(Kind::body, "base64")), ElementsAre(3));
    EXPECT_THAT(find(text_key(Kind::body, "plain")), ElementsAre(3));
    EXPECT_THAT(find(text_key(Kind::text, "plain")), ElementsAre(1, 3));
    EXPECT_THAT(find(text_key(Kind::text, "subject: html")), ElementsAre(2));
}

TEST_F(SearchTest, WhatAMultipartHoldsWithoutItsBoundaryIsText) {
    add("Content-Type: multipart/related; boundary=bar\n\n--foo\n\nCheap soft\n--foo--\n");
    add("Content-Type: multipart/mixed\n\nCheap hard\n");
    EXPECT_THAT(find(text_key(Kind::body, "cheap soft")), ElementsAre(1));
    EXPECT_THAT(find(text_key(Kind::text, "cheap")), ElementsAre(1, 2));
}

TEST_F(SearchTest, MixedProgramsCombineSetsAndText) {
    Flags seen;
    seen.set(SystemFlag::seen);
    add("Subject: a\n\napple\n", seen);
    add("Subject: b\n\napple\n");
    add("Subject: c\n\npear\n");
    const auto apple = text_key(Kind::body, "apple");
    const auto is_seen = flag_key(Kind::system_flag, SystemFlag::seen);
    EXPECT_THAT(find(join(Kind::and_, {apple, is_seen})), ElementsAre(1));
    EXPECT_THAT(find(join(Kind::and_, {join(Kind::not_, {apple}), join(Kind::not_, {is_seen})})),
                ElementsAre(3));
    EXPECT_THAT(find(join(Kind::or_, {is_seen, text_key(Kind::subject, "c")})), ElementsAre(1, 3));
    EXPECT_THAT(find(join(Kind::not_, {join(Kind::or_, {is_seen, apple})})), ElementsAre(3));
    EXPECT_THAT(find(join(Kind::not_, {join(Kind::and_, {is_seen, apple})})), ElementsAre(2, 3));
}

TEST_F(SearchTest, ManyPages) {
    for (std::size_t i = 0; i < 2 * search_page_rows + 1; ++i) {
        add(i % 2 == 0 ? "Subject: even\n\n" : "Subject: odd\n\n");
    }
    EXPECT_EQ(find(text_key(Kind::subject, "even")).size(), search_page_rows + 1);
}

TEST_F(SearchTest, StopsWhenToldTo) {
    add("Subject: a\n\n");
    stopped_ = true;
    const auto found = search(*mail_, box("INBOX"), text_key(Kind::subject, "a"), stopped_);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace postern::imap_service

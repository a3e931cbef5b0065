#include "protocols/imap/fetch_format.h"

#include "protocols/imap/grammar.h"
#include "protocols/imap/section.h"

#include <gtest/gtest.h>

namespace postern::imap {
namespace {

std::vector<FetchItem> items_of(const std::string& items) {
    const Command command = parse_command("a FETCH 1 " + items);
    return std::get<command::Fetch>(std::get<command::Any>(command.what)).items;
}

mime::Summary summary_of_one_part() {
    mime::Summary summary;
    summary.envelope = "(envelope)";
    summary.body = "(body)";
    summary.body_structure = "(structure)";
    mime::PartOffsets root;
    root.header = root.mime_header = {0, 40};
    root.text = {40, 100};
    root.body = {0, 100};
    mime::PartOffsets first = root;
    first.number = "1";
    first.body = first.text = {40, 100};
    summary.parts = {root, first};
    return summary;
}

FetchedMessage message_of(const mime::Summary& summary) {
    FetchedMessage message;
    message.head = "* 3 FETCH (";
    message.row.uid = 33;
    message.row.size = 100;
    message.row.blob = "B";
    message.summary = &summary;
    return message;
}

// SendBlob as <offset+length>.
std::string shown(const FetchedMessage& message, const std::string& items) {
    std::string out;
    for (const FetchPiece& effect : format_fetch(message, items_of(items))) {
        if (const auto* bytes = std::get_if<Send>(&effect)) out += bytes->bytes;
        if (const auto* blob = std::get_if<SendBlob>(&effect)) {
            out += '<' + blob->blob + std::to_string(blob->offset) + '+' +
                   std::to_string(blob->length) + '>';
        }
    }
    return out;
}

TEST(FetchFormat, WritesItemsInTheOrderAsked) {
    const mime::Summary summary = summary_of_one_part();
    FetchedMessage message = message_of(summary);
    EXPECT_EQ(shown(message, "(RFC822.SIZE UID FLAGS ENVELOPE BODY BODYSTRUCTURE)"),
              "* 3 FETCH (RFC822.SIZE 100 UID 33 FLAGS () ENVELOPE (envelope) BODY (body) "
              "BODYSTRUCTURE (structure))\r\n");
    message.with_flags = message.recent = true;
    message.head = "* 3 FETCH (UID 33 ";
    EXPECT_EQ(shown(message, "RFC822.SIZE"),
              "* 3 FETCH (UID 33 RFC822.SIZE 100 FLAGS (\\Recent))\r\n");
    EXPECT_EQ(shown(message, "(FLAGS UID)"), "* 3 FETCH (UID 33 FLAGS (\\Recent))\r\n");
    message.with_flags = false;
    EXPECT_EQ(shown(message, "UID"), "* 3 FETCH (UID 33)\r\n");
}

TEST(FetchFormat, NamesBodiesInsteadOfCopyingThem) {
    const mime::Summary summary = summary_of_one_part();
    const FetchedMessage message = message_of(summary);
    EXPECT_EQ(shown(message, "BODY[]"), "* 3 FETCH (BODY[] {100}\r\n<B0+100>)\r\n");
    EXPECT_EQ(shown(message, "BODY[TEXT]"), "* 3 FETCH (BODY[TEXT] {60}\r\n<B40+60>)\r\n");
    EXPECT_EQ(shown(message, "RFC822.HEADER"), "* 3 FETCH (RFC822.HEADER {40}\r\n<B0+40>)\r\n");
    EXPECT_EQ(shown(message, "BODY[1]"), "* 3 FETCH (BODY[1] {60}\r\n<B40+60>)\r\n");
    EXPECT_EQ(shown(message, "BODY[1.MIME]"), "* 3 FETCH (BODY[1.MIME] {40}\r\n<B0+40>)\r\n");
    EXPECT_EQ(shown(message, "BODY[2]"), "* 3 FETCH (BODY[2] NIL)\r\n");
    EXPECT_EQ(shown(message, "BODY[1.TEXT]"), "* 3 FETCH (BODY[1.TEXT] NIL)\r\n");
}

TEST(FetchFormat, CutsPartials) {
    const mime::Summary summary = summary_of_one_part();
    const FetchedMessage message = message_of(summary);
    EXPECT_EQ(shown(message, "BODY[]<0.2048>"), "* 3 FETCH (BODY[]<0> {100}\r\n<B0+100>)\r\n");
    EXPECT_EQ(shown(message, "BODY[]<99.1>"), "* 3 FETCH (BODY[]<99> {1}\r\n<B99+1>)\r\n");
    EXPECT_EQ(shown(message, "BODY[]<100.1>"), "* 3 FETCH (BODY[]<100> {0}\r\n)\r\n");
    EXPECT_EQ(shown(message, "BODY[TEXT]<10.4294967295>"),
              "* 3 FETCH (BODY[TEXT]<10> {50}\r\n<B50+50>)\r\n");
    EXPECT_EQ(shown(message, "BODY[TEXT]<4294967295.4294967295>"),
              "* 3 FETCH (BODY[TEXT]<4294967295> {0}\r\n)\r\n");
}

TEST(FetchFormat, PicksHeaderFields) {
    const mime::Summary summary = summary_of_one_part();
    FetchedMessage message = message_of(summary);
    message.headers = {{{0, 40}, "To: a\r\nSubject: b\r\n folded\r\nX: c\r\n\r\n"}};
    EXPECT_EQ(shown(message, "BODY[HEADER.FIELDS (subject)]"),
              "* 3 FETCH (BODY[HEADER.FIELDS (subject)] {23}\r\n"
              "Subject: b\r\n folded\r\n\r\n)\r\n");
    EXPECT_EQ(shown(message, "BODY[HEADER.FIELDS (none)]"),
              "* 3 FETCH (BODY[HEADER.FIELDS (none)] {2}\r\n\r\n)\r\n");
    EXPECT_EQ(shown(message, "BODY[HEADER.FIELDS.NOT (Subject)]<4.5>"),
              "* 3 FETCH (BODY[HEADER.FIELDS.NOT (Subject)]<4> {5}\r\na\r\nX:)\r\n");
}

TEST(PickFields, TakesBrokenHeadersAsTheyAre) {
    const std::vector<std::string> to = {"To"};
    EXPECT_EQ(pick_fields("", to, false), "\r\n");
    EXPECT_EQ(pick_fields("To: a", to, false), "To: a\r\n");
    EXPECT_EQ(pick_fields("To : a\nto:b\n\nTo: body\n", to, false), "To : a\nto:b\n\r\n");
    EXPECT_EQ(pick_fields(" folded first\r\nTo: a\r\n", to, true), "\r\n");
    EXPECT_EQ(pick_fields("no colon\r\nTo: a\r\n", to, true), "no colon\r\n\r\n");
}

TEST(FindSection, NeverReachesBeyondTheMessage) {
    mime::Summary summary = summary_of_one_part();
    summary.parts[1].body = {90, 5000};
    const FetchItem item = items_of("BODY[1]").at(0);
    EXPECT_EQ(find_section(item, &summary, 100), (mime::Range{90, 100}));
    EXPECT_EQ(find_section(item, &summary, 50), (mime::Range{50, 50}));
}

}  // namespace
}  // namespace postern::imap

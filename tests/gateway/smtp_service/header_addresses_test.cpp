#include "gateway/smtp_service/header_addresses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace postern::smtp_service {
namespace {

std::string rewritten(std::string message) {
    rewrite_header_addresses(message, [](std::string_view address) {
        return address == "ann@old.example" ? std::string("ann.smith@example.org")
                                            : std::string(address);
    });
    return message;
}

TEST(HeaderAddresses, FromSenderAndReplyToAlone) {
    EXPECT_EQ(rewritten("Received: for ann@old.example\r\n"
                        "From: Ann\r\n <ann@old.example>, bob@old.example\r\n"
                        "To: ann@old.example\r\n"
                        "SENDER:ann@old.example\r\nReply-To: <ann@old.example> (Ann)\r\n"
                        "\r\nFrom: ann@old.example\r\n"),
              "Received: for ann@old.example\r\n"
              "From: Ann\r\n <ann.smith@example.org>, bob@old.example\r\n"
              "To: ann@old.example\r\n"
              "SENDER:ann.smith@example.org\r\nReply-To: <ann.smith@example.org> (Ann)\r\n"
              "\r\nFrom: ann@old.example\r\n");
}

TEST(HeaderAddresses, WholeAddressesAlone) {
    const std::string others =
        "From: joann@old.example, ann@old.example.org, x.ann@old.example\r\n\r\n";
    EXPECT_EQ(rewritten(others), others);
    EXPECT_EQ(rewritten("From: joann@old.example, ann@old.example\r\n\r\n"),
              "From: joann@old.example, ann.smith@example.org\r\n\r\n");
    for (const char* odd : {"", "\r\n", "From:\r\n\r\n", "From: <>\r\n\r\n", "From: ann\r\n\r\n"}) {
        EXPECT_EQ(rewritten(odd), odd);
    }
}

TEST(HeaderAddresses, NoMoreThanTheLimit) {
    for (const std::size_t before :
         {max_header_addresses - 2, max_header_addresses - 1, max_header_addresses}) {
        std::string message = "From: ";
        for (std::size_t i = 0; i < before; ++i) message += "x@b.example,";
        message += "ann@old.example\r\n\r\n";
        EXPECT_EQ(rewritten(message) != message, before < max_header_addresses) << before;
    }
}

// The first ones of the message count, whatever field they stand in.
TEST(HeaderAddresses, ALongReplyToLeavesFromItsTurn) {
    std::string message = "From: ann@old.example\r\nReply-To: ";
    for (std::size_t i = 0; i < max_header_addresses; ++i) message += "x@b.example,";
    message += "y@b.example\r\n\r\n";
    EXPECT_TRUE(rewritten(message).starts_with("From: ann.smith@example.org\r\n"));
}

TEST(HeaderSenders, EachAddressOfEachField) {
    const auto found = header_senders(
        "From: Ann <ann@a.example>, Group: bob@b.example, <@r.example:carl@c.example>;\r\n"
        "To: x@x.example\r\nReply-To: y@y.example\r\nsender :\r\n dora(comment)@d.example\r\n"
        "From: \"e e\"@e.example\r\nResent-From: f@f.example\r\n"
        "Resent-Sender: g@g.example\r\n\r\nFrom: z@z.example\r\n");
    EXPECT_EQ(found.addresses,
              (std::vector<std::string>{"ann@a.example", "bob@b.example", "carl@c.example",
                                        "dora@d.example", "e e@e.example", "f@f.example",
                                        "g@g.example"}));
    EXPECT_FALSE(found.too_many);
    for (const char* none : {"", "\r\n", "From: ann\r\n\r\n", "Subject: x\r\n\r\n"}) {
        EXPECT_TRUE(header_senders(none).addresses.empty()) << none;
    }
}

TEST(HeaderSenders, WhatCannotBeReadAsAddressesIsTold) {
    for (const char* plain :
         {"ann@a.example", "Ann <ann@a.example>", "\"<x>\" (<y>) <ann@a.example>", "ann",
          "a@b.example, <c@d.example>", "x@[192.0.2.1]", "ann@m\xC3\xBCnchen.example"}) {
        EXPECT_FALSE(header_senders(std::string("From: ") + plain + "\r\n\r\n").unreadable)
            << plain;
    }
    for (const char* odd : {"boss@a.example.", "Boss <boss@a.example.>",
                            "<boss@a.example> <ann@a.example>", "boss@a.example\x01"}) {
        EXPECT_TRUE(header_senders(std::string("From: ") + odd + "\r\n\r\n").unreadable) << odd;
    }
    // What stands behind more fields than are read.
    std::string many;
    while (many.size() < 4'000'000) many += "X: 1\r\n";
    EXPECT_TRUE(header_senders(many + "From: boss@a.example\r\n\r\n").unreadable);
}

TEST(HeaderSenders, EachAddressOnce) {
    const auto found = header_senders("From: a@b.example, a@b.example\r\nSender: a@b.example\r\n");
    EXPECT_EQ(found.addresses, (std::vector<std::string>{"a@b.example"}));
}

TEST(HeaderSenders, AtMostSoMany) {
    for (const std::size_t count :
         {max_header_addresses - 1, max_header_addresses, max_header_addresses + 1}) {
        std::string message = "Sender: x@b.example\r\nFrom: ";
        for (std::size_t i = 1; i < count; ++i)
            message += (i > 1 ? ",y" : "y") + std::to_string(i) + "@b.example";
        const auto found = header_senders(message + "\r\n\r\n");
        EXPECT_EQ(found.addresses.size(), std::min(count, max_header_addresses));
        EXPECT_EQ(found.too_many, count > max_header_addresses);
    }
}

}  // namespace
}  // namespace postern::smtp_service

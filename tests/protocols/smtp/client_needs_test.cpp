// What a message needs and a server may lack.
#include "tests/protocols/smtp/client_peer.h"

#include <gmock/gmock.h>

namespace postern::smtp {
namespace {

using testing::ElementsAre;

TEST(SmtpClient, WhatTheServerCannotTakeIsNotSent) {
    const auto refusal = [](std::string_view offers, auto change) {
        Peer peer;
        auto mail = message({"a@r.example"}, peer);
        change(mail);
        peer.engine.send(mail);
        to_ready(peer, offers);
        return peer.outcomes.empty() ? std::string("sent") : peer.outcomes[0].replies[0].enhanced;
    };
    const auto utf8 = [](OutgoingMessage& mail) {
        mail.recipients[0].address = "\xc3\xb6@r.example";
    };
    EXPECT_EQ(refusal("250 SIZE\r\n", utf8), "5.6.7");
    EXPECT_EQ(refusal("250 SMTPUTF8\r\n", utf8), "sent");
    const auto sized = [](std::uint64_t size) {
        return [size](OutgoingMessage& mail) { mail.parameters.size = size; };
    };
    EXPECT_EQ(refusal("250 SIZE 100\r\n", sized(99)), "sent");
    EXPECT_EQ(refusal("250 SIZE 100\r\n", sized(100)), "sent");
    EXPECT_EQ(refusal("250 SIZE 100\r\n", sized(101)), "5.3.4");
    const auto tls = [](OutgoingMessage& mail) { mail.parameters.require_tls = true; };
    EXPECT_EQ(refusal("250 REQUIRETLS\r\n", tls), "5.7.30");
}

TEST(SmtpClient, EightBitMailIsConvertedForServersWithoutIt) {
    Peer peer;
    const auto mail = message({"a@r.example"}, peer);
    peer.body = "Subject: converted\r\n\r\n";
    peer.form = Adapted{peer.body.size(), std::nullopt};
    peer.engine.send(mail);
    peer.hears(greeting);
    EXPECT_EQ(peer.hears("250-there\r\n250 SIZE 100\r\n"),
              "MAIL FROM:<ann@example.net> SIZE=22\r\n");
    ASSERT_TRUE(peer.asked);
    EXPECT_TRUE(peer.asked->seven_bit);
    EXPECT_FALSE(peer.asked->ascii_header);
    peer.hears("250 ok\r\n");
    peer.hears("250 ok\r\n");
    EXPECT_EQ(peer.hears("354 go\r\n"), peer.body + ".\r\n");
}

TEST(SmtpClient, OnlyWhatTheServerLacksIsAskedFor) {
    const auto asked = [](std::string_view offers, bool body_8bit, bool smtputf8) {
        Peer peer;
        auto mail = message({"a@r.example"}, peer);
        mail.parameters.body_8bit = body_8bit;
        mail.parameters.smtputf8 = smtputf8;
        peer.engine.send(mail);
        to_ready(peer, offers);
        if (!peer.asked) return std::string("nothing");
        return std::string(peer.asked->seven_bit ? "7" : "") +
               (peer.asked->ascii_header ? "a" : "");
    };
    EXPECT_EQ(asked("250-8BITMIME\r\n250 SMTPUTF8\r\n", true, true), "nothing");
    EXPECT_EQ(asked("250 8BITMIME\r\n", true, false), "nothing");
    EXPECT_EQ(asked("250 SIZE\r\n", false, false), "nothing");
    EXPECT_EQ(asked("250 8BITMIME\r\n", true, true), "a");
    EXPECT_EQ(asked("250 SIZE\r\n", true, true), "7a");
    EXPECT_EQ(asked("250 SIZE\r\n", true, false), "7");
}

TEST(SmtpClient, WhatCannotBeConvertedIsRefusedForAll) {
    Peer peer;
    peer.form = Adapted{20, Reply{554, "5.6.3", "no"}};
    peer.engine.send(message({"a@r.example", "b@r.example"}, peer));
    to_ready(peer);
    EXPECT_THAT(codes(peer.outcomes.at(0)), ElementsAre(554, 554));
    EXPECT_TRUE(peer.engine.idle());
    // Converted, it may be too large.
    Peer other;
    other.form = Adapted{101, std::nullopt};
    other.engine.send(message({"a@r.example"}, other));
    to_ready(other, "250 SIZE 100\r\n");
    EXPECT_EQ(other.outcomes.at(0).replies[0].enhanced, "5.3.4");
}

TEST(SmtpClient, InternationalisedAddressesOfServersWithoutThem) {
    Peer peer;
    auto mail = message({"\xc3\xb6@r.example",
                         "b@b\xc3\xbc"
                         "cher.example",
                         "c@r.example"},
                        peer);
    mail.reverse_path =
        "ann@b\xc3\xbc"
        "cher.example";
    mail.recipients[1].parameters.original_recipient = "utf-8;\xc3\xb6+x@r.example";
    peer.engine.send(mail);
    peer.hears(greeting);
    EXPECT_EQ(peer.hears("250-there\r\n250-PIPELINING\r\n250-DSN\r\n250 8BITMIME\r\n"),
              "MAIL FROM:<ann@xn--bcher-kva.example> BODY=8BITMIME\r\n"
              "RCPT TO:<b@xn--bcher-kva.example> ORCPT=utf-8;\\x{F6}+x@r.example\r\n"
              "RCPT TO:<c@r.example>\r\n");
    peer.hears("250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n");
    peer.hears("250 taken\r\n");
    EXPECT_THAT(codes(peer.outcomes.at(0)), ElementsAre(553, 550, 250));
    EXPECT_EQ(peer.outcomes[0].replies[0].enhanced, "5.6.7");

    // The sender's has no such form: nobody can be written to.
    Peer other;
    auto from = message({"a@r.example"}, other);
    from.reverse_path = "\xc3\xb6@r.example";
    other.engine.send(from);
    to_ready(other);
    EXPECT_THAT(codes(other.outcomes.at(0)), ElementsAre(553));
    EXPECT_TRUE(other.engine.idle());
}

}  // namespace
}  // namespace postern::smtp

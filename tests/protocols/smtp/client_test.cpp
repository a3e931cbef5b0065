#include "tests/protocols/smtp/client_peer.h"

#include <gmock/gmock.h>

namespace postern::smtp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(SmtpClient, PipelinesAndReportsEachRecipient) {
    for (const std::size_t piece : {1u, 2u, 1000u}) {
        Peer peer;
        peer.piece = piece;
        peer.engine.send(message({"a@r.example", "b@r.example"}, peer));
        EXPECT_EQ(peer.hears(greeting), "EHLO mx.example.net\r\n");
        EXPECT_EQ(peer.hears("250-there\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 8BITMIME\r\n"),
                  "MAIL FROM:<ann@example.net> SIZE=20 BODY=8BITMIME\r\n"
                  "RCPT TO:<a@r.example>\r\nRCPT TO:<b@r.example>\r\n");
        EXPECT_EQ(peer.hears("250 ok\r\n250 2.1.5 ok\r\n550 5.1.1 no\r\n"), "DATA\r\n");
        EXPECT_EQ(peer.hears("354 go\r\n"), "Subject: x\r\n\r\n..dot\r\n.\r\n");
        EXPECT_EQ(peer.hears("250 2.0.0 taken\r\n"), "");
        ASSERT_EQ(peer.outcomes.size(), 1u);
        EXPECT_THAT(codes(peer.outcomes[0]), ElementsAre(250, 550));
        EXPECT_EQ(peer.outcomes[0].replies[0].text, "taken");
        EXPECT_EQ(peer.outcomes[0].replies[1].enhanced, "5.1.1");
        EXPECT_TRUE(peer.engine.idle());
        peer.engine.quit();
        EXPECT_EQ(peer.drain(), "QUIT\r\n");
        peer.hears("221 bye\r\n");
        EXPECT_TRUE(peer.closed);
    }
}

TEST(SmtpClient, OneByOneWithoutPipelining) {
    Peer peer;
    peer.engine.send(message({"a@r.example", "b@r.example"}, peer));
    peer.hears(greeting);
    EXPECT_EQ(peer.hears("500 what?\r\n"), "HELO mx.example.net\r\n");
    EXPECT_EQ(peer.hears("250 there\r\n"), "MAIL FROM:<ann@example.net>\r\n");
    EXPECT_EQ(peer.hears("250 ok\r\n"), "RCPT TO:<a@r.example>\r\n");
    EXPECT_EQ(peer.hears("450 greylisted\r\n"), "RCPT TO:<b@r.example>\r\n");
    EXPECT_EQ(peer.hears("251 ok\r\n"), "DATA\r\n");
    peer.hears("354 go\r\n");
    peer.hears("250 taken\r\n");
    EXPECT_THAT(codes(peer.outcomes[0]), ElementsAre(450, 250));
}

TEST(SmtpClient, NoRecipientNoData) {
    Peer peer;
    peer.engine.send(message({"a@r.example"}, peer));
    to_ready(peer);
    EXPECT_EQ(peer.hears("250 ok\r\n550 no\r\n"), "RSET\r\n");
    EXPECT_THAT(codes(peer.outcomes[0]), ElementsAre(550));
    // Another may follow at once; it waits for the reply to RSET.
    EXPECT_TRUE(peer.engine.idle());
    peer.engine.send(message({"b@r.example"}, peer));
    EXPECT_EQ(peer.drain(), "");
    EXPECT_THAT(peer.hears("250 reset\r\n"), StartsWith("MAIL FROM"));
}

TEST(SmtpClient, ARefusedResetIsNoReplyToTheNextMessage) {
    for (const char* refusal : {"554 too many errors\r\n", "421 going\r\n", "250 ok"}) {
        Peer peer;
        peer.engine.send(message({"a@r.example"}, peer));
        to_ready(peer);
        peer.hears("250 ok\r\n550 no\r\n");
        peer.engine.send(message({"b@r.example"}, peer));
        peer.hears(refusal);
        peer.engine.peer_closed();
        peer.drain();
        ASSERT_EQ(peer.outcomes.size(), 2u) << refusal;
        EXPECT_TRUE(peer.outcomes[1].session_failed) << refusal;
    }
}

TEST(SmtpClient, TooManyRecipientsAreAskedForAgain) {
    const auto replies = [](const std::string& first, const std::string& second) {
        Peer peer;
        peer.engine.send(message({"a@r.example", "b@r.example"}, peer));
        to_ready(peer);
        peer.hears("250 ok\r\n" + first + "\r\n" + second + "\r\n354 go\r\n");
        peer.hears("250 taken\r\n");
        return peer.outcomes.empty() ? std::vector<int>() : codes(peer.outcomes[0]);
    };
    EXPECT_THAT(replies("250 ok", "552 too many"), ElementsAre(250, 452));
    EXPECT_THAT(replies("250 ok", "552 5.5.3 too many"), ElementsAre(250, 452));
    EXPECT_THAT(replies("250 ok", "552 5.2.2 mailbox full"), ElementsAre(250, 552));
    EXPECT_THAT(replies("552 no", "250 ok"), ElementsAre(552, 250));
}

TEST(SmtpClient, ARefusedSenderIsRefusedForAll) {
    Peer peer;
    peer.engine.send(message({"a@r.example", "b@r.example"}, peer));
    to_ready(peer);
    EXPECT_EQ(peer.hears("451 later\r\n503 what\r\n503 what\r\n"), "");
    EXPECT_THAT(codes(peer.outcomes[0]), ElementsAre(451, 451));
    EXPECT_TRUE(peer.engine.idle());
}

TEST(SmtpClient, ManyRecipientsAreSaidInBatches) {
    Peer peer;
    std::vector<std::string> all;
    for (int i = 0; i < 120; ++i) all.push_back(std::to_string(i) + "@r.example");
    peer.engine.send(message(all, peer));
    to_ready(peer);
    std::string said;
    said = peer.hears("250 ok\r\n");
    EXPECT_EQ(said, "");
    for (int i = 0; i < 120; ++i) said += peer.hears("250 ok\r\n");
    EXPECT_THAT(said, HasSubstr("RCPT TO:<119@r.example>\r\nDATA\r\n"));
    peer.hears("354 go\r\n");
    peer.hears("250 taken\r\n");
    EXPECT_EQ(codes(peer.outcomes[0]), std::vector<int>(120, 250));
}

TEST(SmtpClient, LmtpHasAReplyForEach) {
    ClientConfig config;
    config.lmtp = true;
    Peer peer(config);
    peer.engine.send(message({"a@r.example", "b@r.example", "c@r.example"}, peer));
    EXPECT_EQ(peer.hears(greeting), "LHLO mx.example.net\r\n");
    peer.hears("250-there\r\n250 PIPELINING\r\n");
    peer.hears("250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n");
    peer.hears("354 go\r\n");
    peer.hears("250 taken\r\n");
    EXPECT_TRUE(peer.outcomes.empty());
    peer.hears("452 full\r\n");
    EXPECT_THAT(codes(peer.outcomes[0]), ElementsAre(250, 550, 452));
}

TEST(SmtpClient, AnLmtpServerThatVanishesHalfwayKeepsItsWord) {
    ClientConfig config;
    config.lmtp = true;
    Peer peer(config);
    peer.engine.send(message({"a@r.example", "b@r.example"}, peer));
    to_ready(peer);
    peer.hears("250 ok\r\n250 ok\r\n250 ok\r\n");
    peer.hears("354 go\r\n");
    peer.hears("250 taken\r\n");
    peer.engine.peer_closed();
    peer.drain();
    EXPECT_THAT(codes(peer.outcomes[0]), ElementsAre(250, 0));
}

TEST(SmtpClient, StartTls) {
    Peer peer;
    peer.engine.send(message({"a@r.example"}, peer));
    peer.hears(greeting);
    EXPECT_EQ(peer.hears("250-there\r\n250 STARTTLS\r\n"), "STARTTLS\r\n");
    // Injected plaintext behind the reply counts for nothing.
    EXPECT_EQ(peer.hears("220 go\r\n250 SMTPUTF8\r\n"), "");
    EXPECT_TRUE(peer.wants_tls);
    peer.engine.tls_started();
    EXPECT_EQ(peer.drain(), "EHLO mx.example.net\r\n");
    EXPECT_THAT(peer.hears("250-there\r\n250 STARTTLS\r\n"), StartsWith("MAIL FROM"));
}

TEST(SmtpClient, TlsThatMustBe) {
    ClientConfig config;
    config.tls = ClientConfig::Tls::always;
    Peer peer(config);
    peer.engine.send(message({"a@r.example"}, peer));
    to_ready(peer);
    ASSERT_EQ(peer.outcomes.size(), 1u);
    EXPECT_TRUE(peer.outcomes[0].session_failed);
    EXPECT_EQ(peer.outcomes[0].replies[0].enhanced, "4.7.4");
    EXPECT_TRUE(peer.closed);
}

TEST(SmtpClient, PasswordsGoUnderTlsOnly) {
    ClientConfig config;
    config.user = "u";
    config.password = "p";
    Peer plain(config);
    plain.engine.send(message({"a@r.example"}, plain));
    plain.hears(greeting);
    EXPECT_EQ(plain.hears("250-there\r\n250 AUTH PLAIN\r\n"), "");
    EXPECT_EQ(plain.outcomes[0].replies[0].code, 0);
    config.plaintext_auth = true;
    Peer trusting(config);
    trusting.engine.send(message({"a@r.example"}, trusting));
    trusting.hears(greeting);
    EXPECT_EQ(trusting.hears("250-there\r\n250 AUTH LOGIN PLAIN\r\n"), "AUTH PLAIN AHUAcA==\r\n");
    EXPECT_THAT(trusting.hears("235 ok\r\n"), StartsWith("MAIL FROM"));
}

TEST(SmtpClient, WhoseWordsAnAnswerIs) {
    Peer peer;
    peer.engine.send(message({"\xc3\xb6@r.example", "b@r.example", "c@r.example"}, peer));
    to_ready(peer);
    peer.hears("250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n");
    peer.engine.peer_closed();
    peer.drain();
    const auto& replies = peer.outcomes.at(0).replies;
    EXPECT_FALSE(replies[0].by_server);
    EXPECT_TRUE(replies[1].by_server);
    EXPECT_FALSE(replies[2].by_server);

    Peer asked;
    asked.form = Adapted{20, Reply{554, "5.6.3", "no"}};
    asked.engine.send(message({"a@r.example"}, asked));
    to_ready(asked);
    EXPECT_FALSE(asked.outcomes.at(0).replies[0].by_server);

    Peer refusing;
    refusing.engine.send(message({"a@r.example"}, refusing));
    refusing.hears("554 no service\r\n");
    EXPECT_TRUE(refusing.outcomes.at(0).replies[0].by_server);
    EXPECT_TRUE(refusing.outcomes[0].session_failed);
}

TEST(SmtpClient, DsnIsPassedOn) {
    Peer peer;
    auto mail = message({"a@r.example"}, peer);
    mail.parameters.ret = Return::headers;
    mail.parameters.envelope_id = "Q+2B";
    mail.recipients[0].parameters = {notify_success | notify_delay, "rfc822;x@y"};
    peer.engine.send(mail);
    peer.hears(greeting);
    EXPECT_EQ(peer.hears("250-there\r\n250-DSN\r\n250 PIPELINING\r\n"),
              "MAIL FROM:<ann@example.net> RET=HDRS ENVID=Q+2B\r\n"
              "RCPT TO:<a@r.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y\r\n");
    peer.hears("250 ok\r\n250 ok\r\n354 go\r\n");
    peer.hears("250 taken\r\n");
    EXPECT_TRUE(peer.outcomes[0].dsn_passed_on);
}

// At each step: the server says 421, closes, talks nonsense, or falls silent.
TEST(SmtpClient, EveryStepMayFail) {
    const std::vector<std::string> script = {greeting, "250-there\r\n250 PIPELINING\r\n",
                                             "250 ok\r\n250 ok\r\n", "354 go\r\n"};
    for (std::size_t steps = 0; steps <= script.size(); ++steps) {
        for (const int how : {0, 1, 2, 3, 4}) {
            Peer peer;
            peer.engine.send(message({"a@r.example"}, peer));
            for (std::size_t i = 0; i < steps; ++i) peer.hears(script[i]);
            if (how == 0) peer.hears("421 going down\r\n");
            if (how == 1) peer.engine.peer_closed();
            if (how == 2) peer.hears("hello?\r\n");
            if (how == 3) peer.pass(std::chrono::milliseconds(600'000));
            if (how == 4) peer.engine.abandon("the gateway is ending");
            peer.drain();
            ASSERT_EQ(peer.outcomes.size(), 1u) << steps << " " << how;
            EXPECT_EQ(peer.outcomes[0].session_failed, steps < 2) << steps << " " << how;
            const int code = peer.outcomes[0].replies[0].code;
            EXPECT_TRUE(code == 0 || code == 421) << steps << " " << how << " " << code;
            if (how != 0 || steps < script.size()) {
                EXPECT_TRUE(peer.closed) << steps << " " << how;
            }
        }
    }
}

TEST(SmtpClient, A421ForTheMessageEndsTheSession) {
    Peer peer;
    peer.engine.send(message({"a@r.example"}, peer));
    to_ready(peer);
    peer.hears("250 ok\r\n250 ok\r\n354 go\r\n");
    peer.hears("421 going down\r\n");
    EXPECT_THAT(codes(peer.outcomes.at(0)), ElementsAre(421));
    EXPECT_FALSE(peer.outcomes[0].in_doubt);
    EXPECT_TRUE(peer.closed);
    EXPECT_FALSE(peer.engine.idle());
}

TEST(SmtpClient, WhetherTheServerMayHaveTheMessage) {
    for (const bool sent : {false, true}) {
        Peer peer;
        peer.engine.send(message({"a@r.example"}, peer));
        to_ready(peer);
        peer.hears("250 ok\r\n250 ok\r\n");
        if (sent) peer.hears("354 go\r\n");
        peer.engine.peer_closed();
        peer.drain();
        EXPECT_EQ(peer.outcomes.at(0).in_doubt, sent);
    }
}

TEST(SmtpClient, ARefusedDataIsFollowedByReset) {
    Peer peer;
    peer.engine.send(message({"a@r.example"}, peer));
    to_ready(peer);
    EXPECT_EQ(peer.hears("250 ok\r\n250 ok\r\n451 not now\r\n"), "DATA\r\nRSET\r\n");
    EXPECT_THAT(codes(peer.outcomes.at(0)), ElementsAre(451));
    peer.hears("250 ok\r\n");
    EXPECT_TRUE(peer.engine.idle());
}

TEST(SmtpClient, WithoutTlsThePasswordStaysAndSoDoesTheMail) {
    ClientConfig config;
    config.user = "u";
    config.password = "p";
    Peer peer(config);
    peer.engine.send(message({"a@r.example"}, peer));
    peer.hears(greeting);
    EXPECT_EQ(peer.hears("250-there\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"), "STARTTLS\r\n");
    EXPECT_EQ(peer.hears("454 not now\r\n"), "");
    ASSERT_EQ(peer.outcomes.size(), 1u);
    EXPECT_EQ(peer.outcomes[0].replies[0].enhanced, "4.7.4");
}

TEST(SmtpClient, OnlyAskedNothingIsSent) {
    Peer peer;
    auto asked = message({"a@r.example", "b@r.example"}, peer);
    asked.only_ask = true;
    peer.engine.send(asked);
    peer.hears(greeting);
    peer.hears("250-there\r\n250 PIPELINING\r\n");
    EXPECT_EQ(peer.hears("250 ok\r\n250 yes\r\n550 5.1.1 no\r\n"), "RSET\r\n");
    ASSERT_EQ(peer.outcomes.size(), 1u);
    EXPECT_EQ(peer.outcomes[0].replies[0].code, 250);
    EXPECT_EQ(peer.outcomes[0].replies[1].code, 550);
    peer.hears("250 ok\r\n");
    EXPECT_TRUE(peer.engine.idle());
}

// Nothing counts as delivered that was not sent to its end.
TEST(SmtpClient, AYesOutOfSequenceIsNoDelivery) {
    const std::vector<std::string> script = {greeting, "250-there\r\n250 PIPELINING\r\n",
                                             "250 ok\r\n250 ok\r\n", "354 go\r\n"};
    for (std::size_t steps = 2; steps < script.size(); ++steps) {
        for (const std::string odd : {"354 go\r\n", "220 there\r\n", "250 ok\r\n"}) {
            if (steps == 2 && odd[0] == '2') continue;
            if (steps == 3 && odd[0] == '3') continue;
            Peer peer;
            peer.engine.send(message({"a@r.example"}, peer));
            for (std::size_t i = 0; i < steps; ++i) peer.hears(script[i]);
            peer.hears(odd);
            ASSERT_EQ(peer.outcomes.size(), 1u) << steps << odd;
            EXPECT_EQ(peer.outcomes[0].replies[0].code, 0) << steps << odd;
            EXPECT_TRUE(peer.closed) << steps << odd;
        }
    }
}

TEST(SmtpClient, ABodyThatCannotBeReadIsNotCutShort) {
    Peer peer;
    peer.body_fails = true;
    peer.engine.send(message({"a@r.example"}, peer));
    to_ready(peer);
    peer.hears("250 ok\r\n250 ok\r\n");
    const auto said = peer.hears("354 go\r\n");
    EXPECT_EQ(said.find("\r\n.\r\n"), std::string::npos);
    EXPECT_EQ(said.find(".\r\n"), std::string::npos);
    EXPECT_TRUE(peer.closed);
    EXPECT_EQ(peer.outcomes[0].replies[0].code, 0);
}

TEST(SmtpClient, RepliesAreBounded) {
    const auto outcome = [](const std::string& reply) {
        Peer peer;
        peer.engine.send(message({"a@r.example"}, peer));
        peer.hears(reply);
        return peer.closed;
    };
    const auto line = [](std::size_t size) { return "220 " + std::string(size - 4, 'x') + "\r\n"; };
    EXPECT_FALSE(outcome(line(max_client_reply_line_bytes - 1)));
    EXPECT_TRUE(outcome(line(max_client_reply_line_bytes + 1)));
    std::string many;
    for (std::size_t i = 0; i < max_client_reply_lines; ++i) many += "220-x\r\n";
    EXPECT_FALSE(outcome(many + "220 x\r\n"));
    EXPECT_TRUE(outcome(many + "220-x\r\n220 x\r\n"));
}

}  // namespace
}  // namespace postern::smtp

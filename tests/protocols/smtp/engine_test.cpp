#include "protocols/smtp/engine.h"

#include "protocols/smtp/session.h"
#include "tests/transcripts/smtp_rig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::smtp {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using transcripts::SmtpRig;

constexpr const char* until_data =
    "EHLO client.example\r\nMAIL FROM:<s@example.org> SIZE=9 SMTPUTF8 BODY=8BITMIME\r\n"
    "RCPT TO:<alice@example.net>\r\nDATA\r\n";

Config make_config(Role role = Role::mx) {
    Config config;
    config.hostname = "mx.example.net";
    config.role = role;
    config.tls_offered = true;
    config.allow_plaintext_auth = true;
    return config;
}

std::string say(SmtpRig& rig, std::string_view bytes) {
    rig.feed(bytes);
    return rig.drain();
}

std::string repeat(std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

TEST(SmtpEngine, TheEnvelopeIsWhatWasSaid) {
    SmtpRig rig(make_config(Role::submission), true);
    say(rig, "EHLO client.example\r\nAUTH PLAIN AGFsaWNlQGV4YW1wbGUubmV0AHNlY3JldA==\r\n");
    say(rig, until_data);
    EXPECT_THAT(say(rig, "Subject: x\r\n\r\n..y\r\n.\r\n"), StartsWith("250 2.0.0"));
    ASSERT_EQ(rig.accepted().size(), 1u);
    const AcceptMessage& envelope = rig.accepted()[0].envelope;
    EXPECT_EQ(envelope.helo, "client.example");
    EXPECT_EQ(envelope.reverse_path, "s@example.org");
    EXPECT_EQ(envelope.recipients, std::vector<std::string>{"alice@example.net"});
    EXPECT_EQ(envelope.parameters.size, 9u);
    EXPECT_TRUE(envelope.parameters.body_8bit);
    EXPECT_TRUE(envelope.parameters.smtputf8);
    EXPECT_EQ(envelope.authenticated_user, "alice@example.net");
    EXPECT_TRUE(envelope.esmtp);
    EXPECT_TRUE(envelope.tls);
    EXPECT_EQ(rig.accepted()[0].body, "Subject: x\r\n\r\n.y\r\n");
}

TEST(SmtpEngine, TheNextEnvelopeStartsEmpty) {
    SmtpRig rig(make_config(), false);
    say(rig, std::string(until_data) + "1\r\n.\r\n");
    say(rig, "HELO old.example\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n2\r\n.\r\n");
    ASSERT_EQ(rig.accepted().size(), 2u);
    const AcceptMessage& envelope = rig.accepted()[1].envelope;
    EXPECT_EQ(envelope.helo, "old.example");
    EXPECT_EQ(envelope.reverse_path, "");
    EXPECT_EQ(envelope.recipients, std::vector<std::string>{"bob@example.net"});
    EXPECT_EQ(envelope.parameters.size, std::nullopt);
    EXPECT_FALSE(envelope.parameters.smtputf8);
    EXPECT_FALSE(envelope.esmtp);
    EXPECT_FALSE(envelope.tls);
    EXPECT_EQ(rig.accepted()[1].body, "2\r\n");
}

TEST(SmtpEngine, BodiesPassByteForByte) {
    std::string every_byte = "X: \xff\xfe\x80\r\n\r\n";
    for (int c = 0; c < 256; ++c) {
        if (c != '\r' && c != '\n') every_byte += static_cast<char>(c);
    }
    every_byte += "\r\n";
    SmtpRig rig(make_config(), false);
    EXPECT_THAT(say(rig, until_data + every_byte + ".\r\n"), EndsWith("250 2.0.0 Accepted\r\n"));
    EXPECT_EQ(rig.accepted().at(0).body, every_byte);
}

TEST(SmtpEngine, RecipientLimit) {
    const std::string rcpt = "RCPT TO:<alice@example.net>\r\n";
    for (const int over : {-1, 0, 1}) {
        SmtpRig rig(make_config(), false);
        say(rig, "EHLO c\r\nMAIL FROM:<>\r\n");
        const std::string replies = say(rig, repeat(rcpt, max_recipients + over));
        EXPECT_EQ(replies.find("452 4.5.3") != std::string::npos, over > 0);
        say(rig, "DATA\r\n.\r\n");
        EXPECT_EQ(rig.accepted().at(0).envelope.recipients.size(),
                  max_recipients + std::min(over, 0));
    }
}

TEST(SmtpEngine, ErrorLimit) {
    for (const unsigned errors : {max_errors - 1, max_errors}) {
        SmtpRig rig(make_config(), false);
        say(rig, repeat("BAD\r\n", errors) + "NOOP\r\n");
        EXPECT_EQ(rig.closed(), errors == max_errors);
    }
}

TEST(SmtpEngine, AuthLineLimit) {
    for (const int over : {-1, 0, 1}) {
        SmtpRig rig(make_config(Role::submission), false);
        const std::string line(max_auth_line_bytes - 2 + over, 'x');
        const std::string reply = say(rig, "EHLO c\r\nAUTH PLAIN\r\n" + line + "\r\n");
        EXPECT_THAT(reply, HasSubstr(over > 0 ? "500 5.5.6" : "501 5.5.2"));
        const std::string command = "AUTH PLAIN " + std::string(line, 11);
        EXPECT_THAT(say(rig, command + "\r\n"), HasSubstr(over > 0 ? "500 5.5.6" : "501 5.5.2"));
        EXPECT_THAT(say(rig, "NOOP\r\n"), StartsWith("250"));
    }
}

TEST(SmtpEngine, SizeLimit) {
    for (const int over : {-1, 0, 1}) {
        Config config = make_config();
        config.max_message_bytes = 100'000;
        SmtpRig rig(config, false);
        std::string body = repeat(std::string(998, 'x') + "\r\n", 99);
        body += std::string(998 + over, 'y') + "\r\n";
        const std::string reply = say(rig, until_data + body + ".\r\n");
        EXPECT_THAT(reply, HasSubstr(over > 0 ? "552 5.3.4" : "250 2.0.0"));
        EXPECT_EQ(rig.accepted().size(), over > 0 ? 0u : 1u);
        EXPECT_EQ(rig.discarded(), over > 0 ? 1u : 0u);
        EXPECT_EQ(rig.unfinished_body(), "");
    }
}

TEST(SmtpEngine, ARefusedMessageIsNotSwallowedForEver) {
    Config config = make_config();
    config.max_message_bytes = 10;
    SmtpRig rig(config, false);
    say(rig, until_data);
    const std::string piece = repeat(std::string(62, 'x') + "\r\n", 512);
    std::uint64_t fed = 0;
    for (; !rig.closed() && fed <= 2 * max_discarded_bytes; fed += piece.size()) {
        const std::string said = say(rig, piece);
        EXPECT_THAT(said, StartsWith(rig.closed() ? "421 4.3.0" : ""));
    }
    EXPECT_EQ(fed, max_discarded_bytes + piece.size());
}

TEST(SmtpEngine, FlawedBodiesAreDiscardedAtOnceAndLogged) {
    SmtpRig rig(make_config(), false);
    say(rig, until_data);
    EXPECT_EQ(say(rig, "good\r\nbad\n"), "");
    EXPECT_EQ(rig.discarded(), 1u);
    EXPECT_THAT(say(rig, "more\r\n.\r\n"), StartsWith("550 5.6.11 bare LF"));
    EXPECT_THAT(rig.logged(), testing::Contains(HasSubstr("bare LF")));
    EXPECT_TRUE(rig.accepted().empty());
    EXPECT_EQ(rig.discarded(), 1u);
}

TEST(SmtpEngine, APeerThatVanishesLeavesNothing) {
    SmtpRig rig(make_config(), false);
    say(rig, until_data);
    say(rig, "half of a mess");
    rig.peer_closed();
    EXPECT_EQ(rig.drain(), "");
    EXPECT_TRUE(rig.closed());
    EXPECT_EQ(rig.discarded(), 1u);
    EXPECT_TRUE(rig.accepted().empty());
}

TEST(SmtpEngine, AMessageThatTricklesInIsGivenUp) {
    const std::chrono::milliseconds time = make_config().data_timeout;
    const auto enough = min_data_bytes_per_s * static_cast<std::uint64_t>(time.count()) / 1000;
    for (const int over : {-1, 0, 1}) {
        SmtpRig rig(make_config(), false);
        say(rig, until_data);
        rig.pass_time(std::chrono::milliseconds(0));
        const std::string line = std::string(enough / 10 - 2, 'x') + "\r\n";
        for (int tenth = 0; tenth < 9; ++tenth) {
            EXPECT_EQ(say(rig, line), "");
            rig.pass_time(time / 10);
        }
        say(rig, std::string(line.size() + over, 'x'));
        rig.pass_time(time / 10);
        EXPECT_THAT(rig.drain(), StartsWith(over < 0 ? "421 4.4.2" : ""));
        EXPECT_EQ(rig.closed(), over < 0);
        EXPECT_EQ(rig.discarded(), over < 0 ? 1u : 0u);
    }
}

// --- the engine alone ---

class BareEngine : public testing::Test {
protected:
    BareEngine() : engine_(make_config(), now_) {
        engine_.start(false);
        expect_next<Send>();  // the greeting
    }

    template <class T>
    T expect_next() {
        auto effect = engine_.next();
        EXPECT_TRUE(effect.has_value());
        return effect ? std::get<T>(*effect) : T{};
    }

    Time now_ = from_unix_ms(1'000'000);
    Engine engine_;
};

TEST_F(BareEngine, OnePipelineIsOneSend) {
    engine_.feed(until_data);
    expect_next<CheckSender>();
    EXPECT_FALSE(engine_.next());
    engine_.answer(Reply{250, "2.1.0", "OK"});
    expect_next<CheckRecipient>();
    engine_.answer(Reply{250, "2.1.5", "OK"});
    EXPECT_THAT(expect_next<Send>().bytes,
                testing::AllOf(StartsWith("250-"), HasSubstr("250 2.1.0"), HasSubstr("250 2.1.5"),
                               HasSubstr("354")));
    EXPECT_FALSE(engine_.next());
}

TEST_F(BareEngine, ManyRepliesLeaveInBoundedPieces) {
    engine_.feed(repeat("NOOP\r\n", 10'000));
    std::size_t replies = 0;
    while (auto effect = engine_.next()) {
        const std::string& bytes = std::get<Send>(*effect).bytes;
        EXPECT_LT(bytes.size(), held_reply_bytes + max_command_line_bytes);
        replies += static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    }
    EXPECT_EQ(replies, 10'000u);
}

TEST_F(BareEngine, InputIsOnlyBufferedWhileAQuestionIsOpen) {
    engine_.feed("EHLO c\r\nMAIL FROM:<>\r\n");
    expect_next<CheckSender>();
    engine_.feed(std::string(max_buffered_input_bytes - 1, 'x'));
    EXPECT_FALSE(engine_.input_full());
    engine_.feed("x");
    EXPECT_TRUE(engine_.input_full());
    EXPECT_FALSE(engine_.next());
    engine_.answer(Reply{});
    while (engine_.next()) continue;
    EXPECT_FALSE(engine_.input_full());
}

TEST_F(BareEngine, BodyChunksAreBounded) {
    engine_.feed(until_data);
    std::size_t body_bytes = 0;
    const std::string body = repeat("0123456789\r\n", 10'000);
    engine_.feed(body + ".\r\n");
    while (auto effect = engine_.next()) {
        if (const auto* chunk = std::get_if<BodyChunk>(&*effect)) {
            EXPECT_LE(chunk->bytes.size(), body_chunk_bytes);
            body_bytes += chunk->bytes.size();
        }
        const bool asks = std::holds_alternative<CheckSender>(*effect) ||
                          std::holds_alternative<CheckRecipient>(*effect);
        if (asks) engine_.answer(Reply{});
    }
    EXPECT_EQ(body_bytes, body.size());
}

TEST_F(BareEngine, SilenceIsCountedFromTheTickAfterProgress) {
    using std::chrono::milliseconds;
    const milliseconds timeout = make_config().command_timeout;
    EXPECT_EQ(engine_.deadline(), now_ + timeout);
    engine_.feed("NOOP\r\n");
    expect_next<Send>();
    engine_.tick(now_ + timeout);  // progress was made since the last tick: no timeout
    EXPECT_FALSE(engine_.next());
    EXPECT_EQ(engine_.deadline(), now_ + 2 * timeout);
    engine_.feed("NO");  // not a whole command: no progress
    engine_.tick(now_ + 2 * timeout - milliseconds(1));
    EXPECT_FALSE(engine_.next());
    engine_.tick(now_ + 2 * timeout);
    expect_next<Log>();
    EXPECT_THAT(expect_next<Send>().bytes, StartsWith("421 4.4.2"));
    expect_next<Close>();
    EXPECT_FALSE(engine_.next());
    EXPECT_EQ(engine_.deadline(), std::nullopt);
}

TEST_F(BareEngine, OurOwnTimeDoesNotCount) {
    engine_.feed("EHLO c\r\nMAIL FROM:<>\r\n");
    expect_next<CheckSender>();
    EXPECT_EQ(engine_.deadline(), std::nullopt);
    engine_.tick(now_ + std::chrono::hours(1));
    engine_.answer(Reply{});
    EXPECT_THAT(expect_next<Send>().bytes, HasSubstr("250"));
    EXPECT_FALSE(engine_.next());
}

TEST_F(BareEngine, ShutDownWaitsForTheMessage) {
    engine_.feed(until_data);
    expect_next<CheckSender>();
    engine_.shut_down();
    engine_.answer(Reply{});
    EXPECT_THAT(expect_next<Send>().bytes, HasSubstr("421 4.3.2"));
    expect_next<Close>();
}

TEST_F(BareEngine, ShutDownInAMessageComesAfterItsReply) {
    engine_.feed(until_data);
    expect_next<CheckSender>();
    engine_.answer(Reply{});
    expect_next<CheckRecipient>();
    engine_.answer(Reply{});
    expect_next<Send>();
    engine_.shut_down();
    EXPECT_FALSE(engine_.next());
    engine_.feed("x\r\n.\r\n");
    expect_next<BodyChunk>();
    expect_next<AcceptMessage>();
    engine_.answer(Reply{250, "2.0.0", "kept"});
    const std::string said = expect_next<Send>().bytes;
    EXPECT_THAT(said, StartsWith("250 2.0.0 kept\r\n421 4.3.2"));
    expect_next<Close>();
}

TEST_F(BareEngine, AReplyOf421Closes) {
    engine_.feed("EHLO c\r\nMAIL FROM:<>\r\nNOOP\r\n");
    expect_next<CheckSender>();
    engine_.answer(Reply{421, "4.7.0", "Go away"});
    EXPECT_THAT(expect_next<Send>().bytes, EndsWith("421 4.7.0 Go away\r\n"));
    expect_next<Close>();
    EXPECT_FALSE(engine_.next());
}

TEST_F(BareEngine, AnAnswerOfTheWrongKindIsATemporaryFailure) {
    engine_.feed("EHLO c\r\nMAIL FROM:<>\r\n");
    expect_next<CheckSender>();
    engine_.answer(AuthAnswer{true, {}});
    EXPECT_THAT(expect_next<Send>().bytes, HasSubstr("\r\n451 4.3.0"));
}

TEST(LmtpEngine, RepliesOfEachRecipientInOrder) {
    for (const std::size_t given : {1u, 2u, 3u}) {
        Engine engine(make_config(Role::lmtp), from_unix_ms(0));
        engine.start(false);
        engine.feed("LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\n");
        std::string said;
        while (auto effect = engine.next()) {
            if (const auto* sent = std::get_if<Send>(&*effect)) {
                said += sent->bytes;
            } else if (std::holds_alternative<AcceptMessage>(*effect)) {
                const std::vector<Reply> replies = {
                    {250, "2.0.0", "one"}, {452, "4.2.2", "two"}, {250, "2.0.0", "three"}};
                engine.answer(std::vector<Reply>(replies.begin(), replies.begin() + given));
            } else {
                engine.answer(Reply{});
            }
        }
        EXPECT_THAT(said, EndsWith(given == 1 ? "354 Go ahead, end with CRLF.CRLF\r\n"
                                                "250 2.0.0 one\r\n250 2.0.0 one\r\n"
                                              : "250 2.0.0 one\r\n452 4.2.2 two\r\n"));
    }
}

}  // namespace
}  // namespace postern::smtp

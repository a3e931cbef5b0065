#include "protocols/pop3/engine.h"

#include "protocols/pop3/session.h"
#include "tests/transcripts/pop3_rig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::pop3 {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using transcripts::Pop3Rig;

Config make_config() {
    Config config;
    config.hostname = "mx.example.net";
    config.allow_plaintext_auth = true;
    return config;
}

std::string say(Pop3Rig& rig, std::string_view bytes) {
    rig.feed(bytes);
    return rig.drain();
}

// A session of alice with these messages.
struct AliceRig : Pop3Rig {
    explicit AliceRig(std::vector<std::string> maildrop)
        : Pop3Rig(make_config(), false, std::move(maildrop)) {
        EXPECT_THAT(say(*this, "USER alice@example.net\r\nPASS secret\r\n"),
                    HasSubstr("+OK Maildrop"));
    }
};

std::string lines(std::size_t count, const std::string& line) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += line;
    return out;
}

TEST(Pop3Engine, LargeMessagesStreamWhole) {
    const std::string body = "A: 1\r\n\r\n" + lines(20'000, ".a line of text\r\n");
    AliceRig rig({body});
    const std::string stuffed = "A: 1\r\n\r\n" + lines(20'000, "..a line of text\r\n");
    EXPECT_EQ(say(rig, "RETR 1\r\n"),
              "+OK " + std::to_string(body.size()) + " octets\r\n" + stuffed + ".\r\n");
    EXPECT_EQ(rig.reads().size(), body.size() / read_chunk_bytes + 1);
    EXPECT_EQ(rig.reads().back().second, body.size());
}

TEST(Pop3Engine, HoweverTheMessageIsRead) {
    const std::string body = "A: 1\r\n\r\n.\r\n..\r\n\r\nx\ny\r\n.end";
    for (std::size_t piece = 1; piece <= body.size(); ++piece) {
        AliceRig rig({body});
        rig.limit_reads(piece);
        EXPECT_THAT(say(rig, "RETR 1\r\n"),
                    EndsWith("octets\r\nA: 1\r\n\r\n..\r\n...\r\n\r\nx\r\ny\r\n..end\r\n.\r\n"));
        EXPECT_THAT(say(rig, "TOP 1 2\r\n"), EndsWith("\r\nA: 1\r\n\r\n..\r\n...\r\n.\r\n"));
    }
}

TEST(Pop3Engine, TopReadsNoFurtherThanItSends) {
    AliceRig rig({"A: 1\r\n\r\n" + lines(100'000, "text\r\n")});
    say(rig, "TOP 1 0\r\n");
    ASSERT_EQ(rig.reads().size(), 1u);
    EXPECT_EQ(rig.reads()[0].second, top_chunk_bytes);
}

TEST(Pop3Engine, AnEmptyMessage) {
    AliceRig rig({""});
    EXPECT_EQ(say(rig, "RETR 1\r\n"), "+OK 0 octets\r\n.\r\n");
    EXPECT_THAT(say(rig, "TOP 1 1\r\n"), EndsWith("\r\n.\r\n"));
}

TEST(Pop3Engine, AMessageThatCannotBeReadIsAnError) {
    AliceRig rig({"text\r\n"});
    rig.fail_question(1);
    EXPECT_THAT(say(rig, "RETR 1\r\n"), StartsWith("-ERR [SYS/TEMP]"));
    EXPECT_THAT(say(rig, "RETR 1\r\n"), StartsWith("+OK"));
}

TEST(Pop3Engine, AMessageThatBreaksOffIsLeftWithoutAnEnd) {
    AliceRig rig({lines(20'000, "a line of text\r\n")});
    rig.fail_question(2);
    const std::string said = say(rig, "RETR 1\r\n");
    EXPECT_THAT(said, StartsWith("+OK"));
    EXPECT_THAT(said, testing::Not(EndsWith("\r\n.\r\n")));
    EXPECT_TRUE(rig.closed());
    EXPECT_THAT(rig.logged(), testing::Contains(HasSubstr("could not be read")));
}

TEST(Pop3Engine, QuitCommitsWhatIsMarked) {
    AliceRig rig({"1", "2", "3", "4"});
    EXPECT_THAT(say(rig, "DELE 2\r\nDELE 4\r\nQUIT\r\n"), HasSubstr("+OK mx.example.net"));
    EXPECT_EQ(rig.committed(), (std::vector<std::size_t>{1, 3}));
}

TEST(Pop3Engine, NothingIsCommittedWithoutQuit) {
    {
        AliceRig rig({"1"});
        say(rig, "DELE 1\r\n");
        rig.peer_closed();
        rig.drain();
        EXPECT_TRUE(rig.closed());
        EXPECT_EQ(rig.questions_asked(), 1u);
    }
    {
        AliceRig rig({"1"});
        say(rig, "DELE 1\r\n");
        rig.engine().shut_down();
        EXPECT_THAT(rig.drain(), StartsWith("-ERR [SYS/TEMP]"));
        EXPECT_TRUE(rig.closed());
        EXPECT_EQ(rig.questions_asked(), 1u);
    }
    {
        AliceRig rig({"1"});
        say(rig, "DELE 1\r\nRSET\r\nQUIT\r\n");
        EXPECT_EQ(rig.questions_asked(), 1u);
    }
}

TEST(Pop3Engine, AFailedCommitIsTold) {
    AliceRig rig({"1"});
    rig.fail_question(1);
    EXPECT_THAT(say(rig, "DELE 1\r\nQUIT\r\n"), HasSubstr("-ERR [SYS/TEMP]"));
    EXPECT_TRUE(rig.closed());
}

TEST(Pop3Engine, LargeListingsLeaveInBoundedPieces) {
    Engine engine(make_config(), from_unix_ms(0));
    engine.start(false);
    engine.feed("USER a\r\nPASS b\r\nUIDL\r\nQUIT\r\n");
    std::size_t listed = 0;
    while (auto effect = engine.next()) {
        if (std::holds_alternative<Authenticate>(*effect)) {
            LoginAnswer answer{true, "", "", {}};
            answer.maildrop.assign(50'000, MaildropEntry{1, std::string(70, 'u')});
            engine.answer(answer);
        } else if (const auto* sent = std::get_if<Send>(&*effect)) {
            EXPECT_LT(sent->bytes.size(), held_reply_bytes + 200);
            listed +=
                static_cast<std::size_t>(std::count(sent->bytes.begin(), sent->bytes.end(), '\n'));
        }
    }
    EXPECT_EQ(listed, 50'000u + 6);  // greeting, USER, PASS, UIDL and its end, QUIT
}

TEST(Pop3Engine, PasswordsKeepTheirSpaces) {
    Engine engine(make_config(), from_unix_ms(0));
    engine.start(false);
    engine.feed("USER a\r\nPASS  two  spaces \r\n");
    while (auto effect = engine.next()) {
        if (const auto* asked = std::get_if<Authenticate>(&*effect)) {
            EXPECT_EQ(asked->mechanism, "USER");
            EXPECT_EQ(asked->password, " two  spaces ");
            return;
        }
    }
    FAIL() << "no question";
}

TEST(Pop3Engine, CommandLineLimit) {
    for (const int over : {-1, 0, 1}) {
        Pop3Rig rig(make_config(), false, {});
        rig.drain();
        const std::string command = "CAPA " + std::string(max_command_line_bytes - 7 + over, 'x');
        EXPECT_THAT(say(rig, command + "\r\n"), StartsWith(over > 0 ? "-ERR Line" : "+OK"));
    }
}

TEST(Pop3Engine, AuthLineLimit) {
    for (const int over : {-1, 0, 1}) {
        Pop3Rig rig(make_config(), false, {});
        say(rig, "AUTH PLAIN\r\n");
        const std::string line(max_auth_line_bytes - 2 + over, '!');
        EXPECT_THAT(say(rig, line + "\r\n"), StartsWith(over > 0 ? "-ERR Line" : "-ERR Bad"));
        EXPECT_THAT(say(rig, "CAPA\r\n"), StartsWith("+OK"));
    }
}

TEST(Pop3Engine, ErrorLimits) {
    for (const unsigned errors : {max_errors - 1, max_errors}) {
        Pop3Rig rig(make_config(), false, {});
        say(rig, lines(errors, "BAD\r\n") + "CAPA\r\n");
        EXPECT_EQ(rig.closed(), errors == max_errors);
    }
    AliceRig alice({"A: 1\r\n\r\n"});
    say(alice, lines(max_errors, "RETR 99\r\n"));
    EXPECT_FALSE(alice.closed()) << "a number without a message is no mistake of protocol";
    for (const unsigned failures : {max_failed_logins - 1, max_failed_logins}) {
        Pop3Rig rig(make_config(), false, {});
        say(rig, lines(failures, "USER alice@example.net\r\nPASS wrong\r\n"));
        EXPECT_EQ(rig.closed(), failures == max_failed_logins);
    }
}

TEST(Pop3Engine, TemporaryFailuresAreNoGuesses) {
    Engine engine(make_config(), from_unix_ms(0));
    engine.start(false);
    engine.feed(lines(2 * max_failed_logins, "USER a\r\nPASS b\r\n"));
    while (auto effect = engine.next()) {
        EXPECT_FALSE(std::holds_alternative<Close>(*effect));
        if (std::holds_alternative<Authenticate>(*effect)) {
            engine.answer(LoginAnswer{false, "IN-USE", "Somebody is reading", {}});
        }
    }
}

TEST(Pop3Engine, IdleTimeIsAtLeastTenMinutes) {
    EXPECT_GE(Config{}.idle_timeout, std::chrono::minutes(10));
    Engine engine(make_config(), from_unix_ms(0));
    engine.start(false);
    engine.next();
    const Time due = from_unix_ms(0) + make_config().idle_timeout;
    EXPECT_EQ(engine.deadline(), due);
    engine.tick(due - std::chrono::milliseconds(1));
    EXPECT_FALSE(engine.next());
    engine.tick(due);
    EXPECT_TRUE(std::holds_alternative<Log>(*engine.next()));
    EXPECT_TRUE(std::holds_alternative<Close>(*engine.next()));
    EXPECT_FALSE(engine.next());
}

}  // namespace
}  // namespace postern::pop3

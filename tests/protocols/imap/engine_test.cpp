// What transcripts cannot show: limits, big mailboxes, big messages, and the contract with the
// gateway.
#include "protocols/imap/engine.h"

#include "tests/transcripts/imap_rig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace postern::imap {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using transcripts::ImapRig;

std::string repeat(std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

std::size_t count_of(std::string_view text, std::string_view wanted) {
    std::size_t count = 0;
    for (std::size_t at = text.find(wanted); at != std::string_view::npos;
         at = text.find(wanted, at + wanted.size())) {
        ++count;
    }
    return count;
}

class ImapEngine : public testing::Test {
protected:
    explicit ImapEngine(std::uint64_t max_append_bytes = 50 * 1024 * 1024)
        : rig_(config(max_append_bytes), false) {}

    static Config config(std::uint64_t max_append_bytes) {
        Config out;
        out.hostname = "mx.example.net";
        out.allow_plaintext_auth = true;
        out.max_append_bytes = max_append_bytes;
        return out;
    }
    std::string say(std::string_view bytes) {
        rig_.feed(bytes);
        std::string out = rig_.drain();
        EXPECT_THAT(out, Not(HasSubstr("BROKEN PROMISE")));
        return out;
    }
    void log_in() {
        rig_.drain();
        EXPECT_THAT(say("l LOGIN alice@example.net secret\r\n"), HasSubstr("l OK"));
    }
    void fill(std::size_t messages) {
        for (std::size_t i = 0; i < messages; ++i) rig_.deliver("Subject: x\r\n\r\nbody\r\n");
    }
    void select() { EXPECT_THAT(say("s SELECT INBOX\r\n"), HasSubstr("s OK [READ-WRITE]")); }

    ImapRig rig_;
};

TEST_F(ImapEngine, NeitherTellsNorEnablesWhatIsWithheld) {
    Config with = config(1);
    with.withheld = {"UIDONLY", "COMPRESS=DEFLATE"};
    ImapRig rig(with, false);
    rig.drain();
    const auto say = [&](std::string_view bytes) {
        rig.feed(bytes);
        return rig.drain();
    };
    const std::string told = say("l LOGIN alice@example.net secret\r\n");
    EXPECT_THAT(told, Not(HasSubstr("UIDONLY")));
    EXPECT_THAT(told, HasSubstr("THREAD=REFERENCES I18NLEVEL=1"));
    EXPECT_EQ(say("a CAPABILITY\r\n").find("UIDONLY"), std::string::npos);
    EXPECT_EQ(say("b ENABLE UIDONLY CONDSTORE\r\n"),
              "* ENABLED CONDSTORE\r\nb OK ENABLE completed\r\n");
    EXPECT_THAT(say("c SELECT INBOX\r\n"), HasSubstr("c OK"));
    EXPECT_EQ(say("d FETCH 1:* FLAGS\r\n").find("UIDREQUIRED"), std::string::npos);
}

TEST_F(ImapEngine, AnswersBigMailboxesPageByPage) {
    log_in();
    for (const std::size_t size : {fetch_page_rows - 1, fetch_page_rows, fetch_page_rows + 1}) {
        fill(size - rig_.memory().find("INBOX")->messages.size());
        select();
        const std::size_t asked = rig_.questions_asked();
        const std::string out = say("a FETCH 1:* (UID BODY.PEEK[])\r\n");
        EXPECT_EQ(count_of(out, "BODY[] {"), size);
        EXPECT_THAT(out, EndsWith("a OK FETCH completed\r\n"));
        // The pages, and Refresh.
        EXPECT_EQ(rig_.questions_asked() - asked, (size <= fetch_page_rows ? 1 : 2) + 1U);
    }
}

TEST_F(ImapEngine, StoresInBigMailboxesPageByPage) {
    log_in();
    fill(store_page_uids + 1);
    select();
    std::size_t asked = rig_.questions_asked();
    EXPECT_EQ(say("a STORE 1:1000 +FLAGS.SILENT (\\Seen)\r\n"), "a OK STORE completed\r\n");
    EXPECT_EQ(rig_.questions_asked() - asked, 2U);
    asked = rig_.questions_asked();
    const std::string out = say("a STORE 1:* +FLAGS (\\Deleted)\r\n");
    EXPECT_EQ(count_of(out, "FLAGS (\\Deleted"), store_page_uids + 1);
    EXPECT_EQ(rig_.questions_asked() - asked, 3U);
    EXPECT_EQ(count_of(say("a EXPUNGE\r\n"), "* 1 EXPUNGE\r\n"), store_page_uids + 1);
}

TEST_F(ImapEngine, SearchAnswersInOneLineHoweverLong) {
    log_in();
    fill(5001);
    select();
    std::string expected = "* SEARCH";
    for (int i = 1; i <= 5001; ++i) expected += ' ' + std::to_string(i);
    EXPECT_EQ(say("a SEARCH ALL\r\n"), expected + "\r\na OK SEARCH completed\r\n");
}

TEST_F(ImapEngine, AMessageWithoutSummaryIsReadInChunks) {
    log_in();
    fill(1);
    const std::string head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n";
    rig_.deliver(head + std::string(3 * read_chunk_bytes, 'x') +
                 "\r\n--b\r\n\r\nlast\r\n--b--\r\n");
    select();
    const std::size_t asked = rig_.questions_asked();
    EXPECT_THAT(say("a FETCH 2 BODY.PEEK[2]\r\n"), StartsWith("* 2 FETCH (BODY[2] {4}\r\nlast)"));
    EXPECT_EQ(rig_.questions_asked() - asked, 1U + 4U + 1U);
    // The summary of the last message is kept.
    EXPECT_THAT(say("b FETCH 2 BODY.PEEK[2]\r\n"), StartsWith("* 2 FETCH (BODY[2] {4}\r\nlast)"));
    EXPECT_EQ(rig_.questions_asked() - asked, 6U + 2U);
}

TEST_F(ImapEngine, AHugeMessageWithoutSummaryIsAnsweredAsFarAsItIsRead) {
    log_in();
    fill(1);
    const std::string head = "Subject: huge\r\n\r\n";
    const std::string text(max_summarized_bytes + 10, 'x');
    rig_.deliver(head + text);
    select();
    EXPECT_THAT(say("a FETCH 2 ENVELOPE\r\n"), HasSubstr("\"huge\""));
    EXPECT_EQ(say("a FETCH 2 BODY.PEEK[TEXT]\r\n"), "* 2 FETCH (BODY[TEXT] {" +
                                                        std::to_string(text.size()) + "}\r\n" +
                                                        text + ")\r\na OK FETCH completed\r\n");
}

TEST_F(ImapEngine, OneUnreadableMessageDoesNotHideTheOthers) {
    log_in();
    fill(4);  // the second and the fourth have no summary and must be read
    select();
    rig_.fail_question(rig_.questions_asked() + 1);
    const std::string out = say("a FETCH 1:* (UID ENVELOPE)\r\n");
    EXPECT_THAT(out, HasSubstr("(UID 1 "));
    EXPECT_THAT(out, Not(HasSubstr("(UID 2 ")));
    EXPECT_THAT(out, HasSubstr("(UID 4 "));
    EXPECT_THAT(out, EndsWith("a NO [UNAVAILABLE] Failing on purpose\r\n"));
}

TEST_F(ImapEngine, WhatOthersDidIsAskedForTwiceWhereThatFails) {
    log_in();
    fill(1);
    select();
    fill(1);
    rig_.fail_question(rig_.questions_asked() + 1);
    const std::string out = say("a STORE 1 +FLAGS (\\Seen)\r\n");
    EXPECT_THAT(out, HasSubstr("* 2 EXISTS\r\n"));
    EXPECT_THAT(out, EndsWith("a OK STORE completed\r\n"));
    EXPECT_THAT(rig_.logged().back(), HasSubstr("Failing on purpose"));
}

TEST_F(ImapEngine, AFullDiskDoesNotKeepAnybodyFromReading) {
    log_in();
    fill(1);
    select();
    rig_.fail_question(rig_.questions_asked() + 1);
    EXPECT_THAT(say("a FETCH 1 BODY[TEXT]\r\n"), EndsWith("a OK FETCH completed\r\n"));
    EXPECT_THAT(rig_.logged().back(), HasSubstr("Failing on purpose"));
}

TEST_F(ImapEngine, StreamsAnAppendInBoundedChunks) {
    log_in();
    for (const std::size_t size : {append_chunk_bytes - 1, append_chunk_bytes,
                                   append_chunk_bytes + 1, std::size_t{300000}}) {
        const std::string text(size, 'x');
        EXPECT_THAT(say("a APPEND INBOX {" + std::to_string(size) + "+}\r\n" + text + "\r\n"),
                    HasSubstr("a OK [APPENDUID"));
        const auto& messages = rig_.memory().find("INBOX")->messages;
        EXPECT_EQ(rig_.memory().body(std::to_string(messages.rbegin()->second.blob)), text);
    }
    EXPECT_EQ(rig_.discarded(), 0U);
}

TEST_F(ImapEngine, AVanishedClientLeavesNoUpload) {
    log_in();
    say("a APPEND INBOX {100000}\r\n" + std::string(50000, 'x'));
    EXPECT_FALSE(rig_.unfinished_append().empty());
    rig_.peer_closed();
    rig_.drain();
    EXPECT_TRUE(rig_.unfinished_append().empty());
    EXPECT_TRUE(rig_.closed());
}

TEST_F(ImapEngine, AnAppendThatNeverEndsTimesOut) {
    log_in();
    say("a APPEND INBOX {100000}\r\nSubject");
    rig_.pass_time(std::chrono::minutes(29));
    EXPECT_EQ(say(": x"), "");
    rig_.pass_time(std::chrono::minutes(29));
    EXPECT_FALSE(rig_.closed());
    rig_.pass_time(std::chrono::minutes(2));
    EXPECT_THAT(rig_.drain(), HasSubstr("* BYE"));
    EXPECT_TRUE(rig_.closed());
    EXPECT_EQ(rig_.discarded(), 1U);
}

TEST_F(ImapEngine, SingleBytesDoNotPutOffTheTimeForLogin) {
    rig_.drain();
    for (int i = 0; i < 59; ++i) {
        rig_.pass_time(std::chrono::seconds(1));
        EXPECT_EQ(say("x"), "");
    }
    EXPECT_FALSE(rig_.closed());
    rig_.pass_time(std::chrono::seconds(1));
    rig_.drain();
    EXPECT_TRUE(rig_.closed());
}

TEST_F(ImapEngine, ShutDownWaitsForTheMessageOnItsWay) {
    log_in();
    say("a APPEND INBOX {10}\r\n12345");
    rig_.engine().shut_down();
    EXPECT_EQ(rig_.drain(), "");
    const std::string out = say("67890\r\n");
    EXPECT_THAT(out, HasSubstr("a OK [APPENDUID"));
    EXPECT_THAT(out, EndsWith("* BYE The server is shutting down\r\n"));
    EXPECT_TRUE(rig_.closed());
}

// Of the selected mailbox and of others alike.
TEST_F(ImapEngine, NewsThatKeepComingWaitLonger) {
    using std::chrono::milliseconds;
    constexpr milliseconds moment{25};
    for (const std::string event : {"deliver", "news status Sent"}) {
        Config gathering = config(1);
        gathering.idle_gather = moment;
        ImapRig rig(gathering, false);
        const auto say = [&](std::string_view bytes) {
            rig.feed(bytes);
            return rig.drain();
        };
        // Whether something is told exactly so long after the event.
        const auto told_after = [&](milliseconds time) {
            EXPECT_TRUE(rig.event(event));
            EXPECT_EQ(rig.drain(), "");
            rig.pass_time(time - milliseconds(1));
            EXPECT_EQ(rig.drain(), "");
            rig.pass_time(milliseconds(1));
            return !rig.drain().empty();
        };
        rig.drain();
        say("l LOGIN alice@example.net secret\r\n");
        say("s SELECT INBOX\r\n");
        say("n NOTIFY SET (selected (MessageNew (UID) MessageExpunge)) "
            "(mailboxes Sent (MessageNew MessageExpunge))\r\n");
        EXPECT_EQ(say("i IDLE\r\n"), "+ Waiting for news\r\n");
        EXPECT_TRUE(told_after(moment)) << event;
        EXPECT_TRUE(told_after(2 * moment)) << event;
        rig.pass_time(10 * moment);
        EXPECT_TRUE(told_after(moment)) << event;
    }
}

TEST_F(ImapEngine, ShutDownEndsIdle) {
    log_in();
    say("a IDLE\r\n");
    rig_.engine().shut_down();
    EXPECT_EQ(rig_.drain(), "* BYE The server is shutting down\r\n");
    EXPECT_TRUE(rig_.closed());
}

TEST_F(ImapEngine, BadCommandsAreCountedInARow) {
    rig_.drain();
    say(repeat("x bogus\r\n", max_errors));
    EXPECT_FALSE(rig_.closed());
    say("x NOOP\r\n" + repeat("x bogus\r\n", max_errors));
    EXPECT_FALSE(rig_.closed());
    EXPECT_THAT(say("x bogus\r\n"), HasSubstr("* BYE Too many errors"));
    EXPECT_TRUE(rig_.closed());
}

TEST_F(ImapEngine, FailedLoginsAreCounted) {
    rig_.drain();
    say(repeat("x LOGIN alice@example.net wrong\r\n", max_login_failures - 1));
    EXPECT_FALSE(rig_.closed());
    say("x LOGIN alice@example.net wrong\r\n");
    EXPECT_TRUE(rig_.closed());
}

TEST_F(ImapEngine, AsksForBackPressureFromItsLimitOn) {
    Engine engine(config(100), Time{});
    engine.start(false);
    while (engine.next()) {
    }
    engine.feed("a LOGIN alice@example.net secret\r\n");
    const auto question = engine.next();
    ASSERT_TRUE(question && std::holds_alternative<Question>(*question));
    EXPECT_EQ(engine.deadline(), std::nullopt);
    engine.feed(std::string(max_buffered_input_bytes - 1, 'x'));
    EXPECT_FALSE(engine.input_full());
    EXPECT_FALSE(engine.next());
    engine.feed("x");
    EXPECT_TRUE(engine.input_full());
    engine.answer(Done{});
    while (engine.next()) {
    }
    EXPECT_FALSE(engine.input_full());
}

TEST_F(ImapEngine, AnAnswerOfTheWrongKindIsAFailure) {
    Engine engine(config(100), Time{});
    engine.start(false);
    engine.feed("a LOGIN alice@example.net secret\r\n");
    while (true) {
        const auto effect = engine.next();
        ASSERT_TRUE(effect);
        if (std::holds_alternative<Question>(*effect)) break;
    }
    engine.answer(RowPage{});
    const auto effect = engine.next();
    ASSERT_TRUE(effect);
    EXPECT_THAT(std::get<Send>(*effect).bytes, StartsWith("a NO [SERVERBUG]"));
}

class ImapEngineSmall : public ImapEngine {
protected:
    ImapEngineSmall() : ImapEngine(1000) {}
};

TEST_F(ImapEngineSmall, MessagesMayFillTheLimitAndNoMore) {
    log_in();
    for (const std::size_t size : {999U, 1000U}) {
        EXPECT_THAT(say("a APPEND INBOX {" + std::to_string(size) + "+}\r\n" +
                        std::string(size, 'x') + "\r\n"),
                    HasSubstr("a OK"));
    }
    EXPECT_THAT(say("a APPEND INBOX {1001}\r\n"), StartsWith("a NO [TOOBIG]"));
    EXPECT_FALSE(rig_.closed());
    EXPECT_THAT(say("a APPEND INBOX {1001+}\r\n"), HasSubstr("* BYE"));
    EXPECT_TRUE(rig_.closed());
}

}  // namespace
}  // namespace postern::imap

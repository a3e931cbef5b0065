// The runner must notice what it is there to notice.
#include "tests/transcripts/runner.h"

#include "tests/transcripts/smtp_rig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::transcripts {
namespace {

using testing::HasSubstr;

Transcript parsed(const std::string& text) {
    auto transcript = parse_transcript("test", text);
    EXPECT_TRUE(transcript) << transcript.error().text;
    return transcript ? *transcript : Transcript{};
}

std::string play_text(const std::string& text) {
    return play_all_ways(parsed(text), &SmtpRig::from);
}

TEST(Transcript, Steps) {
    const Transcript transcript = parsed(
        "# comment\n\nconfig: a=b c\nC: x\\r\\n\\t\\\\\\x41\\{ab*3}\nC- y\nS: z\nS~ "
        "a\\x41\nS*\nC:\nTIME 5\n");
    EXPECT_EQ(transcript.settings.get("a", ""), "b");
    EXPECT_TRUE(transcript.settings.is("c"));
    ASSERT_EQ(transcript.steps.size(), 7u);
    EXPECT_EQ(transcript.steps[0].text, "x\r\n\t\\Aababab\r\n");
    EXPECT_EQ(transcript.steps[0].line_number, 4);
    EXPECT_EQ(transcript.steps[1].text, "y");
    EXPECT_EQ(transcript.steps[2].text, "z");
    EXPECT_EQ(transcript.steps[3].text, "a\\x41");
    EXPECT_EQ(transcript.steps[4].kind, Step::Kind::server_any);
    EXPECT_EQ(transcript.steps[5].text, "\r\n");
    EXPECT_EQ(transcript.steps[6].text, "5");
}

TEST(Transcript, RefusesWhatItDoesNotKnow) {
    for (const char* text : {"X: y", "C:x", "C: \\q", "C: \\x4", "C: \\{a*}", "C: \\{a*3", "TLS1",
                             "C: \\{ab*99999999}", "C: \\"}) {
        EXPECT_FALSE(parse_transcript("test", text)) << text;
    }
}

TEST(Runner, PlaysAGoodConversation) {
    EXPECT_EQ(play_text("S~ 220 .*\nC: NOOP\nS~ 250 .*\nC: QUIT\nS~ 221 .*\nCLOSED\n"), "");
    EXPECT_EQ(play_text("S~ 220 .*\nC: EHLO a\nS*\nS: 250 ENHANCEDSTATUSCODES\n"), "");
}

TEST(Runner, NoticesWhatIsWrong) {
    EXPECT_THAT(play_text("S~ 221 .*\n"), HasSubstr("the server said 220"));
    EXPECT_THAT(play_text("S: 220 mx\n"), HasSubstr("the server said 220"));
    EXPECT_THAT(play_text("C: NOOP\n"), HasSubstr("more than expected"));
    EXPECT_THAT(play_text("S~ 220 .*\nC: NOOP\n"), HasSubstr("more than expected: 250"));
    EXPECT_THAT(play_text("S~ 220 .*\nS~ 250 .*\n"), HasSubstr("said nothing more"));
    EXPECT_THAT(play_text("S*\nS~ 999 .*\n"), HasSubstr("said nothing more"));
    EXPECT_THAT(play_text("S~ 220 .*\nCLOSED\n"), HasSubstr("did not close"));
    EXPECT_THAT(play_text("S~ 220 .*\nTLS\n"), HasSubstr("does not start TLS"));
    EXPECT_THAT(play_text("S~ 220 .*\nEVENT thunder\n"), HasSubstr("unknown event"));
}

// Says "early" or "late" by whether a whole line came at once; hides failures; dies of them.
class BadEngine : public EngineUnderTest {
public:
    explicit BadEngine(bool cut_matters) : cut_matters_(cut_matters) {}
    void feed(std::string_view bytes) override {
        input_ += bytes;
        if (!input_.ends_with("\r\n")) return;
        const bool at_once = bytes.size() == input_.size() || !cut_matters_;
        output_ = dead_ ? "" : at_once ? "early\r\n" : "late\r\n";
        dead_ = dead_ || asked_++ == failing_;
        input_.clear();
    }
    std::string drain() override { return std::exchange(output_, ""); }
    bool wants_tls() const override { return false; }
    void tls_started() override {}
    bool closed() const override { return false; }
    void peer_closed() override {}
    void pass_time(std::chrono::milliseconds) override {}
    bool event(std::string_view) override { return false; }
    std::size_t questions_asked() const override { return asked_; }
    void fail_question(std::size_t number) override { failing_ = number; }
    bool failure_shown(std::string_view) const override { return tells_; }
    std::string probe() const override { return "probe\r\n"; }

    bool tells_ = false;

private:
    bool cut_matters_;
    bool dead_ = false;
    std::size_t asked_ = 0;
    std::size_t failing_ = SIZE_MAX;
    std::string input_;
    std::string output_;
};

TEST(Runner, NoticesAnEngineThatDependsOnCuts) {
    const Transcript transcript = parsed("C: hello\nS: early\n");
    const auto factory = [](const Settings&) { return std::make_unique<BadEngine>(true); };
    EXPECT_EQ(play(transcript, factory, {Cut::Kind::whole, 0}), "");
    EXPECT_THAT(play(transcript, factory, {Cut::Kind::bytes, 0}), HasSubstr("byte by byte"));
}

TEST(Runner, NoticesHiddenFailuresAndDeadSessions) {
    const Transcript transcript = parsed("C: hello\nS: early\n");
    const auto hiding = [](const Settings&) { return std::make_unique<BadEngine>(false); };
    EXPECT_THAT(play_all_ways(transcript, hiding), HasSubstr("the client was not told"));
    const auto dying = [](const Settings&) {
        auto engine = std::make_unique<BadEngine>(false);
        engine->tells_ = true;
        return engine;
    };
    EXPECT_THAT(play_all_ways(transcript, dying), HasSubstr("the session is dead"));
}

}  // namespace
}  // namespace postern::transcripts

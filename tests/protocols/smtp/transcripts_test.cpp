#include "tests/transcripts/smtp_rig.h"

#include <gtest/gtest.h>

namespace postern::transcripts {
namespace {

class SmtpTranscript : public testing::TestWithParam<std::string> {};

TEST_P(SmtpTranscript, PlaysInEveryWay) {
    const auto transcript = read_transcript(GetParam());
    ASSERT_TRUE(transcript) << transcript.error().text;
    EXPECT_EQ(play_all_ways(*transcript, &SmtpRig::from), "") << GetParam();
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
    std::string name = info.param.substr(info.param.rfind('/') + 1);
    name.resize(name.rfind('.'));
    for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(Files, SmtpTranscript, testing::ValuesIn(transcript_files("smtp")),
                         test_name);

}  // namespace
}  // namespace postern::transcripts

#include "tests/transcripts/imap_rig.h"

#include <gtest/gtest.h>

#include <cctype>

namespace postern::transcripts {
namespace {

class ImapTranscript : public testing::TestWithParam<std::string> {};

TEST_P(ImapTranscript, PlaysInEveryWay) {
    const auto transcript = read_transcript(GetParam());
    ASSERT_TRUE(transcript) << transcript.error().text;
    EXPECT_EQ(play_all_ways(*transcript, &ImapRig::from), "") << GetParam();
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
    std::string name = info.param.substr(info.param.rfind('/') + 1);
    name.resize(name.rfind('.'));
    for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(Files, ImapTranscript, testing::ValuesIn(transcript_files("imap")),
                         test_name);

}  // namespace
}  // namespace postern::transcripts

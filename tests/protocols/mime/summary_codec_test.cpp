#include "protocols/mime/summary_view.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::mime {
namespace {

Summary sample() {
    Summary summary;
    summary.envelope = "(NIL)";
    summary.body = std::string("b\0c", 3);
    summary.body_structure = std::string(300, 's');
    summary.preview = "Grüße";
    summary.message_id = "<a@b>";
    summary.subject = "x";
    summary.sent_unix_ms = -5;
    summary.sent_zone_minutes = -720;
    summary.parts.push_back({"", {0, 10}, {0, 10}, {0, 5'000'000'000}, {10, 20}, true});
    summary.parts.push_back({"1.2", {3, 4}, {3, 4}, {4, 4}, {4, 4}, false, Encoding::unknown});
    return summary;
}

void expect_equal(const Summary& a, const Summary& b) {
    EXPECT_EQ(a.envelope, b.envelope);
    EXPECT_EQ(a.body, b.body);
    EXPECT_EQ(a.body_structure, b.body_structure);
    EXPECT_EQ(a.preview, b.preview);
    EXPECT_EQ(a.message_id, b.message_id);
    EXPECT_EQ(a.subject, b.subject);
    EXPECT_EQ(a.from, b.from);
    EXPECT_EQ(a.sent_unix_ms, b.sent_unix_ms);
    EXPECT_EQ(a.sent_zone_minutes, b.sent_zone_minutes);
    ASSERT_EQ(a.parts.size(), b.parts.size());
    for (std::size_t i = 0; i < a.parts.size(); ++i) {
        EXPECT_EQ(a.parts[i].number, b.parts[i].number);
        EXPECT_EQ(a.parts[i].header, b.parts[i].header);
        EXPECT_EQ(a.parts[i].mime_header, b.parts[i].mime_header);
        EXPECT_EQ(a.parts[i].body, b.parts[i].body);
        EXPECT_EQ(a.parts[i].text, b.parts[i].text);
        EXPECT_EQ(a.parts[i].embedded_message, b.parts[i].embedded_message);
        EXPECT_EQ(a.parts[i].encoding, b.parts[i].encoding);
    }
}

TEST(SummaryCodec, RoundTrip) {
    const auto decoded = decode_summary(encode_summary(sample()));
    ASSERT_TRUE(decoded);
    expect_equal(*decoded, sample());
    const auto empty = decode_summary(encode_summary(Summary{}));
    ASSERT_TRUE(empty);
    expect_equal(*empty, Summary{});
}

TEST(SummaryCodec, APartIsReadAlone) {
    Summary all = sample();
    all.references = "<c@d> <e@f>";
    const std::string bytes = encode_summary(all);
    Summary expected;
    expected.envelope = all.envelope;
    const auto envelope = decode_summary_for(SummaryUse::envelope, bytes);
    ASSERT_TRUE(envelope);
    expect_equal(*envelope, expected);
    EXPECT_EQ(envelope->references, "");
    expected.message_id = all.message_id;
    expected.subject = all.subject;
    expected.sent_unix_ms = all.sent_unix_ms;
    expected.sent_zone_minutes = all.sent_zone_minutes;
    const auto sorting = decode_summary_for(SummaryUse::sorting, bytes);
    ASSERT_TRUE(sorting);
    expect_equal(*sorting, expected);
    EXPECT_EQ(sorting->references, all.references);
    EXPECT_EQ(sent_in_summary(bytes), all.sent_unix_ms);
    for (const std::string& damaged : {std::string(), bytes.substr(0, all.envelope.size() + 1),
                                       bytes.substr(0, 330), "\x01" + bytes.substr(1)}) {
        EXPECT_FALSE(sent_in_summary(damaged));
    }
    for (const auto use : {SummaryUse::envelope, SummaryUse::sorting}) {
        EXPECT_FALSE(decode_summary_for(use, ""));
        EXPECT_FALSE(decode_summary_for(use, bytes.substr(0, all.envelope.size() + 1)));
        EXPECT_FALSE(decode_summary_for(use, "\x01" + bytes.substr(1)));
    }
    EXPECT_FALSE(decode_summary_for(SummaryUse::sorting, bytes.substr(0, 330)));
}

TEST(SummaryCodec, AnyTruncationAndAnyTrailerIsRefused) {
    const std::string bytes = encode_summary(sample());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_summary(std::string_view(bytes).substr(0, size))) << size;
    }
    EXPECT_FALSE(decode_summary(bytes + '\0'));
}

TEST(SummaryCodec, OtherVersionsAreRefused) {
    std::string bytes = encode_summary(sample());
    for (int version = 0; version < 256; ++version) {
        bytes[0] = static_cast<char>(version);
        EXPECT_EQ(decode_summary(bytes).has_value(), version == 2) << version;
    }
}

TEST(SummaryCodec, AnyFlippedByteIsSafe) {
    const std::string bytes = encode_summary(sample());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const int mask : {1, 0x80, 0xFF}) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ mask);
            const auto decoded = decode_summary(changed);
            if (!decoded) continue;
            for (const PartOffsets& part : decoded->parts) {
                EXPECT_LE(part.body.begin, part.body.end);
                EXPECT_LE(part.header.begin, part.header.end);
            }
        }
    }
}

TEST(SummaryCodec, HugeAnnouncedSizesCostNothing) {
    const std::string huge = std::string("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11);
    EXPECT_FALSE(decode_summary(huge));
    std::string parts = encode_summary(Summary{});
    parts.back() = '\xFF';
    EXPECT_FALSE(decode_summary(parts + std::string("\xFF\xFF\xFF\xFF\x0F", 5)));
}

}  // namespace
}  // namespace postern::mime

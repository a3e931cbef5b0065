#include "filters/dumps/rspamd.h"

#include "protocols/base/hash.h"
#include "protocols/mime/message.h"

#include <algorithm>

namespace postern::filters {
namespace {

Features features_of(const std::string& text) {
    const std::string message = "Subject: offer today\r\n\r\n" + text + "\r\n";
    const auto parsed = mime::parse(message);
    return extract(ScanInput{message, parsed, {}, Time{}}, Names::kept);
}

std::string number_of(std::string_view older, std::string_view newer, std::uint64_t multiplier) {
    const std::uint64_t seed = 0xDEADBABE;
    return std::to_string(xxh64(newer, seed) + multiplier * xxh64(older, seed));
}

TEST(Rspamd, NumbersAreThoseThatRspamdKeeps) {
    EXPECT_EQ(xxh64("", 0), 0xEF46DB3751D8E999ull);
    // As rspamd 3.4 learned them.
    EXPECT_EQ(number_of("bill", "1618", 3), "172320021272489377");
    EXPECT_EQ(number_of("section", "301", 3), "16845122637906196539");
}

std::optional<CountedFeature> find(const Counts& counts, std::uint64_t hash) {
    for (const auto& each : counts.features) {
        if (each.hash == hash) return each;
    }
    return std::nullopt;
}

void learned(RspamdStatistics& statistics, const char* ham = "200", const char* spam = "100") {
    statistics.add_field("RS", "version", "2");
    statistics.add_field("RS", "learns_ham", ham);
    statistics.add_field("RS", "learns_spam", spam);
}

TEST(Rspamd, PairsOfTheSitesMailAreKnownAgain) {
    RspamdStatistics statistics;
    learned(statistics);
    const auto add = [&](const std::string& number, const char* field, const char* count) {
        statistics.add_field("RS_" + number, field, count);
    };
    add(number_of("click", "here", 3), "S", "40");
    add(number_of("click", "here", 3), "H", "2");
    add(number_of("happi", "meet", 5), "H", "30");  // stems, a word of no meaning between them
    add(number_of("unknown", "words", 3), "S", "9");
    add(number_of("offer", "today", 3), "S", "8");  // rspamd looks at the subject as well
    statistics.add_field("other_5", "S", "1");
    statistics.start_recognising();
    EXPECT_EQ(statistics.tokens(), 4u);
    statistics.recognise(features_of("Click here! We are happy about meetings"));
    EXPECT_EQ(statistics.recognised(), 3u);
    const auto counts = statistics.finish();
    ASSERT_TRUE(counts.has_value()) << counts.error().text;
    EXPECT_EQ(counts->ham, 200u);
    EXPECT_EQ(counts->spam, 100u);
    EXPECT_NE(counts->identity, 0u);
    const auto pair = find(*counts, neighbours_feature("", "click", "here!", true));
    ASSERT_TRUE(pair.has_value());
    EXPECT_EQ(pair->spam, 40u);
    EXPECT_EQ(pair->ham, 2u);
    const auto word = find(*counts, word_feature("", "click", true));
    ASSERT_TRUE(word.has_value());
    EXPECT_EQ(word->spam, 5u);  // an eighth of the pairs that it is in
    EXPECT_TRUE(find(*counts, word_feature("", "happy", true)).has_value());
    EXPECT_TRUE(find(*counts, neighbours_feature("subject", "offer", "today", true)).has_value());
}

TEST(Rspamd, BothTextFormsAndTheOldKeysSayTheSame) {
    const std::string number = number_of("click", "here", 3);
    RspamdStatistics compact;
    for (const auto& line :
         {std::string("\"BAYES_SPAM_keys\": [\"RS\"]"),
          std::string("\"RS\": {\"version\":\"2\",\"learns_ham\":\"2\",\"learns_spam\":\"3\"}"),
          "\"RS_" + number + "\": {\"S\":\"1\",\"H\":\"2\"}"}) {
        compact.add_line(line);
    }
    RspamdStatistics json;
    for (const auto& line :
         {std::string("{\"pattern\": \"RS\", \"meta\": {\"version\":\"2\",\"learns_ham\":\"2\","
                      "\"learns_spam\":\"3\"}, \"elts\": {"),
          "\"RS_" + number + "\": {\"S\":\"1\",\"H\":\"2\"},", std::string("}}")}) {
        json.add_line(line);
    }
    RspamdStatistics old;
    old.add_field("BAYES_SPAM", "learns", "3");
    old.add_field("BAYES_HAM", "learns", "2");
    old.add_field("BAYES_SPAM", number, "1");
    old.add_field("BAYES_HAM", number, "2");
    RspamdStatistics of_users;
    of_users.add_field("RSann@example.org", "learns_spam", "3");
    of_users.add_field("RSbob@example.org", "learns_ham", "2");
    of_users.add_field("RSann@example.org_" + number, "S", "1");
    of_users.add_field("RSbob@example.org_" + number, "H", "2");
    for (auto* each : {&compact, &json, &old, &of_users}) {
        each->start_recognising();
        EXPECT_EQ(each->tokens(), 1u);
        each->recognise(features_of("click here"));
        const auto counts = each->finish();
        ASSERT_TRUE(counts.has_value()) << counts.error().text;
        EXPECT_EQ(counts->spam, 3u);
        EXPECT_EQ(counts->ham, 2u);
        const auto pair = find(*counts, neighbours_feature("", "click", "here", true));
        ASSERT_TRUE(pair.has_value());
        EXPECT_EQ(pair->spam, 1u);
        EXPECT_EQ(pair->ham, 2u);
    }
    EXPECT_EQ(compact.finish()->identity, json.finish()->identity);
}

TEST(Rspamd, WithoutWordsItIsRefusedWithTheNextStep) {
    RspamdStatistics statistics;
    learned(statistics);
    statistics.add_field("RS_5", "S", "1");
    statistics.start_recognising();
    const auto counts = statistics.finish();
    ASSERT_FALSE(counts.has_value());
    EXPECT_EQ(counts.error().code, Errc::unsupported);
    EXPECT_NE(counts.error().text.find("--words"), std::string::npos);
    EXPECT_NE(counts.error().text.find("import the mail"), std::string::npos);
    RspamdStatistics none;
    none.start_recognising();
    EXPECT_EQ(none.finish().error().code, Errc::invalid);
    none.recognise(features_of("click here"));
    EXPECT_EQ(none.recognised(), 0u);
}

TEST(Rspamd, DamageIsCountedAndCountsStayWithinTheMessages) {
    RspamdStatistics statistics;
    learned(statistics, "3", "2");
    statistics.add_field("RS_1", "S", "-1");
    statistics.add_field("RS_1", "S", "many");
    statistics.add_field("RS_" + number_of("click", "here", 3), "S", "99999999999");
    statistics.add_line(std::string(5000, '"'));
    EXPECT_EQ(statistics.damaged(), 3u);
    statistics.start_recognising();
    statistics.recognise(features_of("click here"));
    const auto counts = statistics.finish();
    ASSERT_TRUE(counts.has_value());
    for (const auto& each : counts->features) {
        EXPECT_LE(each.spam, counts->spam);
        EXPECT_LE(each.ham, counts->ham);
    }
}

TEST(Rspamd, PairsBeyondTheLimitAreNotRecognised) {
    constexpr std::size_t limit = 3;
    const std::string text = "alpha bravo charlie delta echo";
    const std::vector<std::pair<const char*, const char*>> pairs{
        {"alpha", "bravo"}, {"bravo", "charlie"}, {"charlie", "delta"}, {"delta", "echo"}};
    for (const std::size_t count : {limit - 1, limit, limit + 1}) {
        RspamdStatistics statistics(max_rspamd_tokens, limit);
        learned(statistics);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string key = "RS_" + number_of(pairs[i].first, pairs[i].second, 3);
            statistics.add_field(key, "S", "10");
        }
        statistics.start_recognising();
        statistics.recognise(features_of(text));
        EXPECT_EQ(statistics.recognised(), std::min(count, limit)) << count;
    }
}

TEST(Rspamd, TokensAtTheLimit) {
    constexpr std::size_t limit = 20;
    for (const std::size_t count : {limit - 1, limit, limit + 1}) {
        RspamdStatistics statistics(limit);
        for (std::size_t i = 0; i < count; ++i) {
            statistics.add_field("RS_" + std::to_string(i), "S", "1");
        }
        EXPECT_EQ(statistics.tokens(), std::min(count, limit));
        EXPECT_EQ(statistics.beyond_limit(), count > limit ? 1u : 0u);
    }
}

}  // namespace
}  // namespace postern::filters

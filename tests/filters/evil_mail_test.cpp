// Mail made to be dear: whatever comes, what is kept and looked at of it stays within its bounds,
// and so do time and memory, which grow with nothing else. tests/bench/filter_bench shows the cost.
#include "tests/filters/evil_mail.h"

#include "filters/evidence.h"
#include "filters/features/features.h"
#include "filters/models/models.h"
#include "filters/pipeline/pipeline.h"
#include "filters/pipeline/subjects.h"
#include "gateway/config/rules_file.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace postern::filters {
namespace {

void expect_bounded(const Content& content, const char* name) {
    EXPECT_LE(content.text.size(), max_content_text_bytes + max_content_parts) << name;
    EXPECT_LE(content.source.size(), max_content_source_bytes + max_content_parts) << name;
    EXPECT_LE(content.headers.size(), max_content_headers) << name;
    EXPECT_LE(content.urls.size(), max_urls) << name;
    EXPECT_LE(content.types.size(), max_content_parts) << name;
    EXPECT_LE(content.attachments.size(), max_content_parts) << name;
    EXPECT_LE(content.html.links.size(), mime::max_html_links) << name;
    EXPECT_LE(content.html.hidden.size(), max_content_parts * mime::max_html_hidden_bytes) << name;
    EXPECT_LE(content.message.size(), 2 * max_scanned_bytes) << name;
    for (const HeaderText& header : content.headers) {
        // Decoding can make three bytes of one: what is no UTF-8 is replaced.
        EXPECT_LE(header.value.size(), 3 * max_header_value_bytes) << name;
        EXPECT_LE(header.raw.size(), max_header_value_bytes) << name;
    }
}

TEST(EvilMail, WhatIsKeptOfItIsBounded) {
    for (const EvilMail& each : all_evil_mail()) {
        const mime::Message parsed = mime::parse(each.message);
        const ScanInput input{each.message, parsed, {}, Time{}};
        const Content content = read_content(input);
        expect_bounded(content, each.name);
        const FeatureVector vector = extract(content).vector;
        EXPECT_LE(vector.hashes.size(), max_features) << each.name;
        EXPECT_LE(vector.grams.size(), max_grams) << each.name;
        EXPECT_LE(vector.encode().size(), max_feature_vector_bytes) << each.name;
    }
}

TEST(EvilMail, IsJudgedAndLearnedLikeAnyOther) {
    const auto rules = config::load_rules({POSTERN_SOURCE_DIR "/appliance/etc/rules"});
    ASSERT_TRUE(rules);
    const auto models = make_models(min_model_bytes);
    const auto pipeline = Pipeline::build(*rules, {}, models);
    ASSERT_TRUE(pipeline);
    bool spam = false;
    for (const EvilMail& each : all_evil_mail()) {
        const mime::Message parsed = mime::parse(each.message);
        const Report report = (*pipeline)->scan({each.message, parsed, {}, Time{}});
        double sum = 0;
        for (const Symbol& symbol : report.symbols) {
            sum += symbol.score;
            for (const std::string& seen : symbol.evidence) {
                EXPECT_EQ(quote_evidence(seen, 200), seen) << each.name;
            }
        }
        EXPECT_NEAR(sum, report.score, 1e-6) << each.name;
        EXPECT_GE(report.probability, 0) << each.name;
        EXPECT_LE(report.probability, 1) << each.name;
        models->learn(extract({each.message, parsed, {}, Time{}}).vector,
                      spam ? Class::spam : Class::ham);
        spam = !spam;
    }
}

// What rules look at, all targets taken together.
TEST(EvilMail, WhatRulesLookAtIsBounded) {
    std::vector<Rule> rules;
    for (const char* target :
         {"header:*", "head", "header:Subject", "header:Subject:raw", "header:From:addr",
          "header:To:name", "part:Content-Type", "body", "source", "raw", "url"}) {
        Rule rule;
        rule.name = "R" + std::to_string(rules.size());
        rule.target = target;
        rule.pattern = "zzzzzz";
        rules.push_back(rule);
    }
    const auto matcher = make_matcher(rules);
    ASSERT_TRUE(matcher);
    for (const EvilMail& each : all_evil_mail()) {
        const mime::Message parsed = mime::parse(each.message);
        const ScanInput input{each.message, parsed, {}, Time{}};
        const Content content = read_content(input);
        const Subjects subjects(input, content, **matcher);
        std::size_t bytes = 0;
        for (const Subject& subject : subjects.all()) bytes += subject.text.size();
        EXPECT_LE(bytes, 12 * max_scanned_bytes) << each.name;
        EXPECT_LE(subjects.all().size(), 4 * max_content_headers + max_urls + 1000) << each.name;
        EXPECT_TRUE((*matcher)->match(subjects.all()).empty()) << each.name;
    }
}

TEST(EvilMail, TheEndOfAHugeMessageIsNotLookedAt) {
    const std::string begin =
        with_body("text/plain", repeated("so many plain words here\r\n", 90'000));
    ASSERT_GT(begin.size(), 2 * max_scanned_bytes);
    const auto features = [](const std::string& message) {
        return extract({message, mime::parse(message), {}, Time{}}).vector;
    };
    const FeatureVector short_one = features(begin);
    const FeatureVector long_one =
        features(begin + repeated("viagra casino lottery\r\n", 2'000'000));
    EXPECT_EQ(short_one, long_one);
}

}  // namespace
}  // namespace postern::filters

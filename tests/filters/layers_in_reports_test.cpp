// What users taught, in the verdict that each of them gets.
#include "filters/features/features.h"
#include "filters/models/layers.h"
#include "filters/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::filters {
namespace {

using testing::HasSubstr;

constexpr const char* newsletter =
    "From: deals@shop.example\r\nTo: ann@one.example\r\nSubject: The offers of week 7\r\n"
    "Date: Mon, 3 Feb 2025 10:00:00 +0100\r\nMessage-ID: <7@shop.example>\r\n\r\n"
    "Dear customer, the garden season begins: chairs, tables, lamps and umbrellas at half the "
    "price until Sunday. Order by telephone or in the shop, delivery is free of charge. You "
    "get this letter since you bought from us; write to us when you want no more of it.\r\n";
constexpr const char* other =
    "From: bob@work.example\r\nTo: ann@one.example\r\nSubject: Minutes of the meeting\r\n"
    "Date: Mon, 3 Feb 2025 11:00:00 +0100\r\nMessage-ID: <8@work.example>\r\n\r\n"
    "Hello all, attached are the minutes. We agreed that the report goes out on Thursday, that "
    "Carla asks the printer for a new quote, and that the budget is on the agenda next time. "
    "Please send corrections before Wednesday noon.\r\n";

struct Judge {
    std::shared_ptr<Models> models = make_models(0);
    std::unique_ptr<Pipeline> pipeline = std::move(*Pipeline::build({}, {}, models));

    Report of(const char* message, std::vector<std::string> recipients) const {
        Connection connection;
        connection.recipients = std::move(recipients);
        return pipeline->scan({message, mime::parse(message), connection, Time{}});
    }
    void teach(const char* who, const char* message, Class as) const {
        models->layers().learn(who, extract({message, mime::parse(message), {}, Time{}}).vector,
                               as);
    }
};

const Symbol* find(const Report& report, std::string_view name) {
    for (const Symbol& each : report.symbols) {
        if (each.name == name) return &each;
    }
    return nullptr;
}

TEST(LayersInReports, ALessonIsHeardForItsUserAndItsKindOfMail) {
    const Judge judge;
    const double before = judge.of(newsletter, {"ann@one.example"}).score;
    judge.teach("ann@one.example", newsletter, Class::spam);
    const Report report = judge.of(newsletter, {"ann@one.example"});
    const Symbol* symbol = find(report, "LEARNED_FROM_USER");
    ASSERT_NE(symbol, nullptr);
    EXPECT_DOUBLE_EQ(symbol->score, 3);
    EXPECT_DOUBLE_EQ(report.score, before + 3);
    EXPECT_THAT(symbol->evidence.at(0),
                HasSubstr("like 1 moved to Junk and 0 kept out of it, the closest by 100 %"));
    EXPECT_EQ(find(judge.of(newsletter, {"ben@one.example"}), "LEARNED_FROM_USER"), nullptr);
    EXPECT_EQ(find(judge.of(newsletter, {}), "LEARNED_FROM_USER"), nullptr);
    EXPECT_EQ(find(judge.of(other, {"ann@one.example"}), "LEARNED_FROM_USER"), nullptr);
}

TEST(LayersInReports, EachOfSeveralRecipientsGetsTheirOwnVerdict) {
    const Judge judge;
    for (int i = 0; i < 2; ++i) {
        std::string variant = newsletter;
        variant += "Number " + std::to_string(i) + "\r\n";
        judge.teach("ann@one.example", variant.c_str(), Class::spam);
        judge.teach("ben@one.example", variant.c_str(), Class::ham);
    }
    const Report report =
        judge.of(newsletter, {"ann@one.example", "ben@one.example", "cleo@two.example"});
    EXPECT_EQ(find(report, "LEARNED_FROM_USER"), nullptr);
    const Report ann = report_for(report, "ann@one.example");
    const Report ben = report_for(report, "ben@one.example");
    EXPECT_GT(ann.score, report.score);
    EXPECT_LT(ben.score, report.score);
    EXPECT_EQ(report_for(report, "cleo@two.example").score, report.score);
    double sum = 0;
    for (const Symbol& each : ann.symbols) sum += each.score;
    EXPECT_NEAR(sum, ann.score, 1e-9);
    EXPECT_EQ(decode_report(encode_report(ann, 4096))->score, ann.score);
}

TEST(LayersInReports, TheDomainsTeachersAreHeardByTheOthers) {
    const Judge judge;
    judge.teach("ann@one.example", newsletter, Class::spam);
    EXPECT_EQ(find(judge.of(newsletter, {"cleo@one.example"}), "LEARNED_FROM_DOMAIN"), nullptr);
    judge.teach("ben@one.example", newsletter, Class::spam);
    const Report report = judge.of(newsletter, {"cleo@one.example"});
    ASSERT_NE(find(report, "LEARNED_FROM_DOMAIN"), nullptr);
    EXPECT_DOUBLE_EQ(find(report, "LEARNED_FROM_DOMAIN")->score, 2);
    EXPECT_EQ(find(judge.of(newsletter, {"cleo@two.example"}), "LEARNED_FROM_DOMAIN"), nullptr);
}

// The 101st recipient of a message gets it as it is for all.
TEST(LayersInReports, AHundredRecipientsAreAskedFor) {
    const Judge judge;
    judge.teach("last@one.example", newsletter, Class::spam);
    for (const std::size_t before : {98u, 99u, 100u}) {
        std::vector<std::string> recipients(before, "x@two.example");
        recipients.push_back("last@one.example");
        EXPECT_EQ(judge.of(newsletter, recipients).personal.size(), before < 100 ? 1u : 0u);
    }
}

}  // namespace
}  // namespace postern::filters

// How much of a message regex rules get to see.
#include "filters/models/models.h"
#include "filters/pipeline/pipeline.h"
#include "filters/pipeline/subjects.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace postern::filters {
namespace {

bool is_found(const std::string& target, const std::string& message,
              std::vector<std::string> recipients = {}) {
    Rule rule;
    rule.name = "WANTED";
    rule.target = target;
    rule.pattern = "wanted";
    rule.score = 1;
    const auto pipeline = Pipeline::build({rule}, {}, make_models(0));
    Connection connection;
    connection.recipients = std::move(recipients);
    const auto report =
        (*pipeline)->scan({message, mime::parse(message), std::move(connection), Time{}});
    return std::any_of(report.symbols.begin(), report.symbols.end(),
                       [](const Symbol& symbol) { return symbol.name == "WANTED"; });
}

TEST(SubjectsLimit, SoManyFieldsOfParts) {
    for (const auto parts : {max_part_fields - 1, max_part_fields, max_part_fields + 1}) {
        std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        for (std::size_t i = 1; i < parts; ++i) {
            message += "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n";
        }
        message += "--b\r\nContent-Type: text/wanted\r\n\r\nx\r\n--b--\r\n";
        EXPECT_EQ(is_found("part:Content-Type", message), parts <= max_part_fields) << parts;
    }
}

TEST(SubjectsLimit, SoManyRecipients) {
    for (const auto count :
         {max_envelope_recipients - 1, max_envelope_recipients, max_envelope_recipients + 1}) {
        std::vector<std::string> recipients(count - 1, "a@b.example");
        recipients.push_back("wanted@b.example");
        EXPECT_EQ(is_found("envelope:to", "Subject: s\r\n\r\n", recipients),
                  count <= max_envelope_recipients)
            << count;
    }
}

}  // namespace
}  // namespace postern::filters

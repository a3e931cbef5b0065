#include "filters/translate/replace_tags.h"
#include "filters/translate/spamassassin.h"

#include <gtest/gtest.h>

namespace postern::filters {
namespace {

TEST(ReplaceTagsLimit, ATagStandsForAtMostSoMuch) {
    for (const auto bytes : {max_replaced_bytes - 1, max_replaced_bytes, max_replaced_bytes + 1}) {
        ReplaceTags tags;
        ASSERT_TRUE(tags.set("replace_tag", "A", std::string(bytes, 'x')));
        const auto replaced = tags.apply("<A>");
        EXPECT_EQ(replaced.size(), bytes <= max_replaced_bytes ? bytes : 0) << bytes;
    }
}

// Rules that are only mentioned cost no compiling.
TEST(SpamAssassinLimit, FilesHoldSoManyRules) {
    for (const auto count : {max_foreign_rules - 1, max_foreign_rules, max_foreign_rules + 1}) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += "score R" + std::to_string(i) + " 1\n";
        text += "body R" + std::to_string(count - 1) + " /last/\n";
        SpamAssassinRules reader({});
        reader.read("test.cf", text);
        const auto translation = reader.finish();
        EXPECT_EQ(translation.rules.size(), count <= max_foreign_rules ? 1u : 0u) << count;
    }
}

}  // namespace
}  // namespace postern::filters

#include "filters/features/seen_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <vector>

namespace postern::filters {
namespace {

TEST(SeenTable, SaysWhatIsNew) {
    SeenTable table;
    EXPECT_TRUE(table.insert(7, 1));
    EXPECT_FALSE(table.insert(7, 1));
    EXPECT_TRUE(table.insert(8, 1));
    EXPECT_FALSE(table.insert(8, 1));
    EXPECT_TRUE(table.insert(0, SeenTable::places - 1));
    EXPECT_TRUE(table.insert((std::uint64_t{1} << SeenTable::number_bits) - 1, 3));
}

TEST(SeenTable, EachBeginsEmptyForMoreTimesThanThereAreEpochs) {
    for (int round = 0; round < 70'000; ++round) {
        SeenTable table;
        ASSERT_TRUE(table.insert(7, 7)) << round;
        ASSERT_FALSE(table.insert(7, 7)) << round;
    }
}

TEST(SeenTable, ThoseAliveAtOnceAreApart) {
    std::vector<std::unique_ptr<SeenTable>> tables;
    for (int i = 0; i < 4; ++i) {
        tables.push_back(std::make_unique<SeenTable>());
        EXPECT_TRUE(tables.back()->insert(7, 7));
    }
    for (const auto& each : tables) {
        EXPECT_FALSE(each->insert(7, 7));
        EXPECT_TRUE(each->insert(9, 7));
    }
}

TEST(SeenTable, AgreesWithASet) {
    std::mt19937 random(3);
    SeenTable table;
    std::set<std::uint64_t> set;
    while (set.size() < SeenTable::max_numbers) {
        const std::uint64_t number = random() % 20'000;
        const bool fresh = set.insert(number).second;
        ASSERT_EQ(table.insert(number, number * 2654435761u), fresh);
    }
}

}  // namespace
}  // namespace postern::filters

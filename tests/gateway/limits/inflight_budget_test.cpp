#include "gateway/limits/inflight_budget.h"

#include <gtest/gtest.h>

namespace postern::limits {
namespace {

TEST(InflightBudget, UpToItsLimit) {
    InflightBudget budget(10);
    InflightBudget::Share share(budget);
    EXPECT_TRUE(share.grow(9));
    EXPECT_FALSE(share.grow(2));
    EXPECT_TRUE(share.grow(1));
    EXPECT_EQ(budget.used(), 10u);
    InflightBudget::Share other(budget);
    EXPECT_FALSE(other.grow(1));
    share.shrink_to(11);
    EXPECT_EQ(budget.used(), 10u);
    share.shrink_to(9);
    EXPECT_TRUE(other.grow(1));
    share.reset();
    EXPECT_EQ(budget.used(), 1u);
}

}  // namespace
}  // namespace postern::limits

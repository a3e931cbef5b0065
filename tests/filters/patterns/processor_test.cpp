#include "filters/patterns/processor.h"

#include <gtest/gtest.h>

namespace postern::filters {
namespace {

// The refusal is seen by the package's test, under an emulated processor that lacks it.
TEST(Processor, TheOneThatRunsTheTestsWillDo) {
    const auto fit = check_processor();
    EXPECT_TRUE(fit) << fit.error().text;
}

}  // namespace
}  // namespace postern::filters

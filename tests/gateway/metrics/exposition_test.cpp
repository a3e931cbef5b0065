#include "gateway/metrics/exposition.h"

#include <gtest/gtest.h>

namespace postern::metrics {

TEST(Exposition, WritesFamiliesWithTheirSamples) {
    Exposition out;
    out.counter("postern_messages_total", "Messages.");
    out.sample(std::uint64_t{3});
    out.gauge("postern_load", "Load.");
    out.sample(0.25, {{"core", "1"}, {"kind", "a\"b\\c\nd"}});
    EXPECT_EQ(out.text(),
              "# HELP postern_messages_total Messages.\n# TYPE postern_messages_total counter\n"
              "postern_messages_total 3\n"
              "# HELP postern_load Load.\n# TYPE postern_load gauge\n"
              "postern_load{core=\"1\",kind=\"a\\\"b\\\\c\\nd\"} 0.25\n");
}

}  // namespace postern::metrics

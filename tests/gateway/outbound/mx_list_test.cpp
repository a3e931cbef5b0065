#include "gateway/outbound/mx_list.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::outbound {
namespace {

std::string kept(std::vector<dns::Mx> servers, bool found) {
    EXPECT_EQ(keep_nearer_than("Mx.Here.example", servers), found);
    std::string out;
    for (const auto& each : servers) out += each.host + " ";
    return out;
}

TEST(MxList, ABackupSendsOnToNearerServersAlone) {
    EXPECT_EQ(kept({{10, "a.x"}, {20, "b.x"}, {20, "mx.here.example"}, {30, "c.x"}}, true), "a.x ");
    EXPECT_EQ(kept({{10, "a.x"}, {10, "mx.here.example"}}, true), "");
    EXPECT_EQ(kept({{10, "a.x"}, {20, "b.x"}}, false), "a.x b.x ");
    EXPECT_EQ(kept({}, false), "");
}

}  // namespace
}  // namespace postern::outbound

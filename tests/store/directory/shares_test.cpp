#include "store/directory/shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::directory {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SharesTest : public testing::Test {
protected:
    std::vector<std::string> owners(std::string_view whom) {
        const auto found = shares_.owners(whom);
        EXPECT_TRUE(found.has_value());
        return found ? *found : std::vector<std::string>();
    }

    const std::unique_ptr<kv::Store> kv_ = kv::make_memory_store();
    Shares shares_{*kv_};
    const User ann_{AccountId{1}, "ann@example.org", ""};
    const User bob_{AccountId{256}, "bob@example.org", ""};
};

TEST_F(SharesTest, OwnersOfEachAreKeptApart) {
    ASSERT_TRUE(shares_.add("Carol@Example.org", bob_));
    ASSERT_TRUE(shares_.add("carol@example.org", ann_));
    ASSERT_TRUE(shares_.add("carol@example.org", ann_));
    ASSERT_TRUE(shares_.add("@example.org", ann_));
    EXPECT_THAT(owners("carol@example.org"), ElementsAre("ann@example.org", "bob@example.org"));
    EXPECT_THAT(owners("@example.org"), ElementsAre("ann@example.org"));
    EXPECT_THAT(owners("dave@example.org"), IsEmpty());
    ASSERT_TRUE(shares_.remove("carol@example.org", ann_));
    EXPECT_THAT(owners("carol@example.org"), ElementsAre("bob@example.org"));
}

TEST_F(SharesTest, TheLongestAddressesFit) {
    const std::string label(63, 'd');
    const std::string domain = label + "." + label + "." + label + "." + std::string(61, 'e');
    const std::string longest = std::string(max_local_part_bytes, 'x') + "@" + domain;
    const User owner{AccountId{~std::uint64_t{0}}, "y" + longest.substr(1), ""};
    ASSERT_TRUE(shares_.add(longest, owner));
    EXPECT_THAT(owners(longest), ElementsAre(owner.address));
    ASSERT_TRUE(shares_.set_group(longest, true));
    EXPECT_TRUE(*shares_.is_group(longest));
}

TEST_F(SharesTest, WhatIsNoAddressIsRefused) {
    EXPECT_EQ(shares_.add("carol", ann_).error().code, Errc::invalid);
    EXPECT_EQ(shares_.add("@", ann_).error().code, Errc::invalid);
    EXPECT_EQ(shares_.set_group("info", true).error().code, Errc::invalid);
    EXPECT_EQ(shares_.owners("carol").error().code, Errc::invalid);
}

TEST_F(SharesTest, GroupsAreMarked) {
    EXPECT_FALSE(*shares_.is_group("info@example.org"));
    ASSERT_TRUE(shares_.set_group("Info@example.org", true));
    EXPECT_TRUE(*shares_.is_group("info@example.org"));
    ASSERT_TRUE(shares_.set_group("info@example.org", false));
    EXPECT_FALSE(*shares_.is_group("info@example.org"));
}

}  // namespace
}  // namespace postern::directory

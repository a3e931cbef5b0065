#include "store/directory/aliases.h"

#include "store/directory/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::directory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AliasesTest : public testing::Test {
protected:
    AliasesTest() {
        for (const char* domain : {"example.org", "old.example"}) {
            EXPECT_TRUE(directory_.add_domain(domain));
        }
    }
    std::vector<std::string> targets(std::string_view source) {
        auto found = aliases_.find(source);
        return found && *found ? (*found)->targets : std::vector<std::string>{"(none)"};
    }
    Errc code(const Result<void>& result) { return result ? Errc::internal : result.error().code; }

    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    Directory directory_{*store_};
    Aliases aliases_{*store_};
};

TEST_F(AliasesTest, TargetsAddUp) {
    EXPECT_TRUE(aliases_.add("Sales@Example.ORG", {"bob@remote.example", "ann@example.org"}));
    EXPECT_TRUE(aliases_.add("sales@example.org", {"ann@example.org", "carl@example.org"}));
    EXPECT_THAT(targets("SALES@example.org"),
                ElementsAre("ann@example.org", "bob@remote.example", "carl@example.org"));
    EXPECT_TRUE(aliases_.remove("sales@example.org", {"bob@remote.example"}));
    EXPECT_THAT(targets("sales@example.org"), ElementsAre("ann@example.org", "carl@example.org"));
    EXPECT_TRUE(aliases_.remove("sales@example.org", {}));
    EXPECT_THAT(targets("sales@example.org"), ElementsAre("(none)"));
}

TEST_F(AliasesTest, WhatCannotBeIsRefused) {
    EXPECT_EQ(code(aliases_.add("nonsense", {"ann@example.org"})), Errc::invalid);
    EXPECT_EQ(code(aliases_.add("a@example.org", {"nonsense"})), Errc::invalid);
    EXPECT_EQ(code(aliases_.add("a@example.org", {})), Errc::invalid);
    EXPECT_EQ(code(aliases_.add("a@example.org", {"@example.org"})), Errc::invalid);
    EXPECT_EQ(code(aliases_.add("@old.example", {"@example.org", "a@example.org"})), Errc::invalid);
    EXPECT_EQ(code(aliases_.add("a@remote.example", {"ann@example.org"})), Errc::not_found);
    EXPECT_EQ(code(aliases_.remove("a@example.org", {})), Errc::not_found);
    EXPECT_TRUE(aliases_.add("a@example.org", {"b@example.org"}));
    EXPECT_EQ(code(aliases_.remove("a@example.org", {"c@example.org"})), Errc::not_found);
}

TEST_F(AliasesTest, CirclesAreShown) {
    EXPECT_TRUE(aliases_.add("a@example.org", {"a@example.org", "b@example.org"}));
    EXPECT_TRUE(aliases_.add("b@example.org", {"c@example.org"}));
    const auto circle = aliases_.add("c@example.org", {"x@remote.example", "a@example.org"});
    ASSERT_FALSE(circle);
    EXPECT_EQ(circle.error().code, Errc::conflict);
    EXPECT_THAT(circle.error().text,
                HasSubstr("c@example.org -> a@example.org -> b@example.org -> c@example.org"));
    EXPECT_TRUE(aliases_.add("@old.example", {"@example.org"}));
    EXPECT_EQ(code(aliases_.add("@example.org", {"@old.example"})), Errc::conflict);
}

TEST_F(AliasesTest, DepthIsBounded) {
    const auto name = [](std::size_t i) { return "n" + std::to_string(i) + "@example.org"; };
    for (std::size_t i = max_alias_depth; i > 0; --i) {
        EXPECT_TRUE(aliases_.add(name(i), {name(i + 1)})) << i;
    }
    EXPECT_EQ(code(aliases_.add(name(0), {name(1)})), Errc::limit);
}

TEST_F(AliasesTest, NumberOfTargetsIsBounded) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < max_alias_targets; ++i) {
        all.push_back("t" + std::to_string(i) + "@example.org");
    }
    EXPECT_TRUE(aliases_.add("list@example.org", all));
    EXPECT_EQ(code(aliases_.add("list@example.org", {"one-more@example.org"})), Errc::limit);
}

TEST_F(AliasesTest, AreListedByDomain) {
    EXPECT_TRUE(aliases_.add("b@example.org", {"x@example.org"}));
    EXPECT_TRUE(aliases_.add("@example.org", {"x@example.org"}));
    EXPECT_TRUE(aliases_.add("@old.example", {"@example.org"}));
    const auto all = aliases_.list("");
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 3u);
    EXPECT_EQ((*all)[0].source, "@example.org");
    EXPECT_EQ((*all)[1].source, "b@example.org");
    EXPECT_EQ((*all)[2].source, "@old.example");
    EXPECT_EQ(aliases_.list("old.example")->size(), 1u);
}

TEST_F(AliasesTest, ADomainWithAliasesStays) {
    EXPECT_TRUE(aliases_.add("@old.example", {"@example.org"}));
    EXPECT_EQ(code(directory_.remove_domain("old.example")), Errc::conflict);
    EXPECT_TRUE(aliases_.remove("@old.example", {}));
    EXPECT_TRUE(directory_.remove_domain("old.example"));
}

}  // namespace
}  // namespace postern::directory

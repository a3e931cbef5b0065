#include "store/directory/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace postern::directory {
namespace {

using testing::ElementsAre;

std::string repeat(char c, std::size_t count) {
    return std::string(count, c);
}

class DirectoryTest : public testing::Test {
protected:
    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    Directory directory_{*store_};

    Errc error_of(const Result<void>& result) {
        return result ? Errc::internal : result.error().code;
    }
    Errc error_of(const Result<User>& result) {
        return result ? Errc::internal : result.error().code;
    }
};

TEST_F(DirectoryTest, DomainsAreKeptInLowerCaseAndInOrder) {
    ASSERT_TRUE(directory_.add_domain("Example.NET"));
    ASSERT_TRUE(directory_.add_domain("a.example"));
    EXPECT_THAT(*directory_.domains(), ElementsAre("a.example", "example.net"));
    EXPECT_TRUE(*directory_.has_domain("EXAMPLE.net"));
    EXPECT_FALSE(*directory_.has_domain("example.org"));
    EXPECT_EQ(error_of(directory_.add_domain("example.net")), Errc::exists);
}

TEST_F(DirectoryTest, DomainNamesAreHostNames) {
    for (const char* bad :
         {"", ".", "a..b", "a.", ".a", "-a.net", "a-.net", "a_b.net", "a b", "ä.net"}) {
        EXPECT_EQ(error_of(directory_.add_domain(bad)), Errc::invalid) << bad;
    }
    EXPECT_TRUE(directory_.add_domain(repeat('a', 63) + ".net"));
    EXPECT_EQ(error_of(directory_.add_domain(repeat('a', 64) + ".net")), Errc::invalid);
}

TEST_F(DirectoryTest, DomainLengthIsBounded) {
    std::string name = "a";
    while (name.size() < max_domain_bytes) name += ".a";
    ASSERT_EQ(name.size(), max_domain_bytes);
    EXPECT_TRUE(directory_.add_domain(name.substr(0, max_domain_bytes - 2)));
    EXPECT_TRUE(directory_.add_domain(name));
    EXPECT_EQ(error_of(directory_.add_domain(name + "a")), Errc::invalid);
}

TEST_F(DirectoryTest, UsersNeedTheirDomain) {
    EXPECT_EQ(error_of(directory_.add_user("a@example.net", "")), Errc::not_found);
    ASSERT_TRUE(directory_.add_domain("example.net"));
    const auto user = directory_.add_user("Ada@Example.net", "hash");
    ASSERT_TRUE(user);
    EXPECT_EQ(user->address, "ada@example.net");
    EXPECT_NE(user->id.value, 0u);
    EXPECT_EQ(error_of(directory_.add_user("ADA@example.net", "")), Errc::exists);
    const auto found = directory_.find("ADA@EXAMPLE.NET");
    ASSERT_TRUE(found);
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ((*found)->id, user->id);
    EXPECT_EQ((*found)->password_hash, "hash");
    EXPECT_FALSE(directory_.find("bob@example.net")->has_value());
    EXPECT_FALSE(directory_.find("not an address")->has_value());
}

TEST_F(DirectoryTest, LocalPartLengthIsBounded) {
    ASSERT_TRUE(directory_.add_domain("a"));
    EXPECT_TRUE(directory_.add_user(repeat('x', max_local_part_bytes - 1) + "@a", ""));
    EXPECT_TRUE(directory_.add_user(repeat('x', max_local_part_bytes) + "@a", ""));
    EXPECT_EQ(error_of(directory_.add_user(repeat('x', max_local_part_bytes + 1) + "@a", "")),
              Errc::invalid);
}

TEST_F(DirectoryTest, PasswordHashLengthIsBounded) {
    ASSERT_TRUE(directory_.add_domain("a"));
    EXPECT_TRUE(directory_.add_user("a@a", repeat('h', max_password_hash_bytes - 1)));
    EXPECT_TRUE(directory_.set_password("a@a", repeat('h', max_password_hash_bytes)));
    EXPECT_EQ(error_of(directory_.set_password("a@a", repeat('h', max_password_hash_bytes + 1))),
              Errc::invalid);
}

TEST_F(DirectoryTest, LocalPartsAreDotStrings) {
    ASSERT_TRUE(directory_.add_domain("a"));
    for (const char* bad :
         {"@a", ".x@a", "x.@a", "x..y@a", "x y@a", "x", "x@", "\"x\"@a", "x\x01@a"}) {
        EXPECT_EQ(error_of(directory_.add_user(bad, "")), Errc::invalid) << bad;
    }
    for (const char* good : {"x.y@a", "x+y@a", "x'y@a", "j\xc3\xb6rg@a", "a=b@a"}) {
        EXPECT_TRUE(directory_.add_user(good, "")) << good;
    }
}

TEST_F(DirectoryTest, UsersAreListedByAddress) {
    ASSERT_TRUE(directory_.add_domain("b.example"));
    ASSERT_TRUE(directory_.add_domain("a.example"));
    for (const char* user : {"zoe@a.example", "bob@b.example", "ada@b.example", "bob@a.example"}) {
        ASSERT_TRUE(directory_.add_user(user, "")) << user;
    }
    const auto addresses = [](const std::vector<User>& users) {
        std::vector<std::string> out;
        for (const User& user : users) out.push_back(user.address);
        return out;
    };
    EXPECT_THAT(addresses(*directory_.users("")),
                ElementsAre("ada@b.example", "bob@a.example", "bob@b.example", "zoe@a.example"));
    EXPECT_THAT(addresses(*directory_.users("A.example")),
                ElementsAre("bob@a.example", "zoe@a.example"));
    EXPECT_TRUE(directory_.users("c.example")->empty());
}

TEST_F(DirectoryTest, MoreUsersThanAPageAreListed) {
    ASSERT_TRUE(directory_.add_domain("a"));
    for (std::size_t i = 0; i <= kv::max_page_rows; ++i) {
        ASSERT_TRUE(directory_.add_user("u" + std::to_string(i) + "@a", ""));
    }
    EXPECT_EQ(directory_.users("a")->size(), kv::max_page_rows + 1);
}

TEST_F(DirectoryTest, PasswordsChange) {
    ASSERT_TRUE(directory_.add_domain("a"));
    ASSERT_TRUE(directory_.add_user("x@a", "old"));
    ASSERT_TRUE(directory_.set_password("X@a", "new"));
    EXPECT_EQ((*directory_.find("x@a"))->password_hash, "new");
    EXPECT_EQ(error_of(directory_.set_password("y@a", "new")), Errc::not_found);
}

TEST_F(DirectoryTest, ADomainWithUsersStays) {
    ASSERT_TRUE(directory_.add_domain("a"));
    ASSERT_TRUE(directory_.add_user("x@a", ""));
    EXPECT_EQ(error_of(directory_.remove_domain("a")), Errc::conflict);
    ASSERT_TRUE(directory_.remove_user("X@A"));
    EXPECT_EQ(error_of(directory_.remove_user("x@a")), Errc::not_found);
    EXPECT_TRUE(directory_.remove_domain("A"));
    EXPECT_EQ(error_of(directory_.remove_domain("a")), Errc::not_found);
    EXPECT_TRUE(directory_.domains()->empty());
}

TEST_F(DirectoryTest, AnAccountNumberIsNeverGivenTwice) {
    ASSERT_TRUE(directory_.add_domain("a"));
    const auto first = directory_.add_user("x@a", "");
    ASSERT_TRUE(directory_.remove_user("x@a"));
    const auto second = directory_.add_user("x@a", "");
    EXPECT_NE(first->id, second->id);
}

TEST_F(DirectoryTest, ConcurrentChangesAllHappen) {
    ASSERT_TRUE(directory_.add_domain("a"));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([this, t] {
            for (int i = 0; i < 25; ++i) {
                const auto added =
                    directory_.add_user(std::to_string(t) + "." + std::to_string(i) + "@a", "");
                EXPECT_TRUE(added) << added.error().text;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    const auto users = *directory_.users("a");
    EXPECT_EQ(users.size(), 100u);
    std::set<std::uint64_t> ids;
    for (const User& user : users) ids.insert(user.id.value);
    EXPECT_EQ(ids.size(), 100u);
}

}  // namespace
}  // namespace postern::directory

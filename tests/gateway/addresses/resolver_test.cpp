#include "gateway/addresses/resolver.h"

#include "gateway/clock/wall_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::addresses {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ResolverTest : public testing::Test {
protected:
    ResolverTest() {
        for (const char* domain : {"example.org", "old.example", "xn--bcher-kva.example"}) {
            EXPECT_TRUE(directory_.add_domain(domain));
        }
        for (const char* user : {"ann@example.org", "bob@example.org", "postmaster@old.example",
                                 "leser@xn--bcher-kva.example"}) {
            EXPECT_TRUE(directory_.add_user(user, ""));
        }
    }
    // Users and other addresses.
    std::vector<std::string> resolve(std::string_view address) {
        auto resolved = resolver_.resolve(address);
        if (!resolved) return {"error: " + resolved.error().text};
        std::vector<std::string> out;
        for (const auto& user : resolved->users) out.push_back(user.address);
        out.insert(out.end(), resolved->others.begin(), resolved->others.end());
        return out;
    }
    void alias(std::string_view source, const std::vector<std::string>& targets) {
        const auto added = aliases_.add(source, targets);
        EXPECT_TRUE(added) << added.error().text;
    }
    AccountId id_of(std::string_view address) { return (*directory_.find(address))->id; }

    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    directory::Directory directory_{*store_};
    directory::Aliases aliases_{*store_};
    directory::Rewrites rewrites_{*store_};
    Resolver resolver_{directory_, aliases_, nullptr, &rewrites_};
};

TEST_F(ResolverTest, RewrittenBeforeAllElse) {
    constexpr auto recipient = directory::RewriteOf::recipient;
    ASSERT_TRUE(rewrites_.add(recipient, "@merged.example", "@example.org"));
    ASSERT_TRUE(rewrites_.add(recipient, "bob@example.org", "Bob@remote.example"));
    ASSERT_TRUE(rewrites_.add(recipient, "@far.example", "@remote.example"));
    ASSERT_TRUE(rewrites_.add(directory::RewriteOf::sender, "@lan.example", "@example.org"));
    const auto merged = resolver_.resolve("ann+x@merged.example");
    EXPECT_TRUE(merged->local_domain) << "a foreign domain that becomes ours";
    EXPECT_EQ(merged->domain, "example.org");
    EXPECT_THAT(resolve("ann+x@merged.example"), ElementsAre("ann@example.org"));
    const auto moved = resolver_.resolve("bob@example.org");
    EXPECT_TRUE(moved->local_domain) << "as an alias to elsewhere is";
    EXPECT_EQ(moved->domain, "example.org");
    EXPECT_THAT(moved->others, ElementsAre("bob@remote.example"));
    const auto foreign = resolver_.resolve("Zoe@far.example");
    EXPECT_FALSE(foreign->local_domain) << "no open relay";
    EXPECT_THAT(foreign->others, ElementsAre("Zoe@remote.example"));
    EXPECT_EQ(*resolver_.sender("ann@lan.example"), "ann@example.org");
    EXPECT_EQ(*resolver_.sender("ann@merged.example"), "ann@merged.example");
}

TEST_F(ResolverTest, ABounceOfForwardedMailGoesBackWhateverTheRulesSay) {
    Srs srs("a secret of some bytes");
    Resolver resolver(directory_, aliases_, &srs, &rewrites_);
    const auto path = resolver.forwarding_path("zoe@remote.example", "example.org", wall_clock());
    ASSERT_TRUE(path);
    ASSERT_TRUE(Srs::is_srs(*path)) << *path;
    ASSERT_TRUE(
        rewrites_.add(directory::RewriteOf::recipient, "@example.org", "@elsewhere.example"));
    const auto resolved = resolver.resolve(*path);
    ASSERT_TRUE(resolved);
    EXPECT_THAT(resolved->others, ElementsAre("zoe@remote.example"));
    EXPECT_TRUE(resolved->only_bounces);
    EXPECT_TRUE(resolved->local_domain);
}

TEST_F(ResolverTest, ASenderThatNoRuleNamesStaysAsWritten) {
    EXPECT_EQ(*resolver_.sender("leser@b\u00fccher.example"), "leser@b\u00fccher.example");
    ASSERT_TRUE(rewrites_.add(directory::RewriteOf::sender, "leser@xn--bcher-kva.example",
                              "ann@example.org"));
    EXPECT_EQ(*resolver_.sender("leser@b\u00fccher.example"), "ann@example.org");
}

TEST_F(ResolverTest, Mailboxes) {
    EXPECT_THAT(resolve("Ann@Example.org"), ElementsAre("ann@example.org"));
    EXPECT_THAT(resolve("ann+lists@example.org"), ElementsAre("ann@example.org"));
    EXPECT_THAT(resolve("nobody@example.org"), IsEmpty());
    EXPECT_THAT(resolve("+x@example.org"), IsEmpty());
    EXPECT_THAT(resolve("\"odd name\"@example.org"), IsEmpty());
    EXPECT_TRUE(resolver_.resolve("nobody@example.org")->local_domain);
}

TEST_F(ResolverTest, OtherDomains) {
    EXPECT_THAT(resolve("Someone@Remote.example"), ElementsAre("Someone@Remote.example"));
    EXPECT_FALSE(resolver_.resolve("someone@remote.example")->local_domain);
    EXPECT_THAT(resolve("someone@[192.0.2.1]"), ElementsAre("someone@[192.0.2.1]"));
}

TEST_F(ResolverTest, Aliases) {
    alias("sales@example.org", {"ann@example.org", "team@example.org", "x@remote.example"});
    alias("team@example.org", {"bob@example.org", "ann@example.org"});
    EXPECT_THAT(resolve("sales@example.org"),
                UnorderedElementsAre("ann@example.org", "bob@example.org", "x@remote.example"));
    EXPECT_THAT(resolve("sales+2@example.org"),
                UnorderedElementsAre("ann@example.org", "bob@example.org", "x@remote.example"));
}

TEST_F(ResolverTest, AnAliasOfAMailboxReplacesItUnlessItNamesIt) {
    alias("ann@example.org", {"x@remote.example"});
    EXPECT_THAT(resolve("ann@example.org"), ElementsAre("x@remote.example"));
    alias("ann@example.org", {"ann@example.org"});
    EXPECT_THAT(resolve("ann@example.org"), ElementsAre("ann@example.org", "x@remote.example"));
}

TEST_F(ResolverTest, CatchAllAndAliasDomain) {
    alias("@old.example", {"@example.org"});
    EXPECT_THAT(resolve("bob+x@old.example"), ElementsAre("bob@example.org"));
    EXPECT_THAT(resolve("nobody@old.example"), IsEmpty());
    alias("@example.org", {"ann@example.org"});
    EXPECT_THAT(resolve("nobody@example.org"), ElementsAre("ann@example.org"));
    EXPECT_THAT(resolve("nobody@old.example"), ElementsAre("ann@example.org"));
    EXPECT_THAT(resolve("bob@example.org"), ElementsAre("bob@example.org"));
}

TEST_F(ResolverTest, Postmaster) {
    EXPECT_THAT(resolve("postmaster"), ElementsAre("postmaster@old.example"));
    EXPECT_THAT(resolve("Postmaster@example.org"), ElementsAre("postmaster@old.example"));
    EXPECT_THAT(resolve("postmaster@remote.example"), ElementsAre("postmaster@remote.example"));
}

TEST_F(ResolverTest, WithoutAPostmasterTheFirstUserIs) {
    ASSERT_TRUE(directory_.remove_user("postmaster@old.example"));
    EXPECT_THAT(resolve("postmaster"), ElementsAre("ann@example.org"));
    EXPECT_THAT(resolve("postmaster@example.org"), ElementsAre("ann@example.org"));
    EXPECT_THAT(resolve("postmaster@xn--bcher-kva.example"),
                ElementsAre("leser@xn--bcher-kva.example"));
    EXPECT_THAT(resolve("postmaster@old.example"), IsEmpty()) << "nobody is there at all";
    alias("@old.example", {"@example.org"});
    EXPECT_THAT(resolve("postmaster@old.example"), ElementsAre("ann@example.org"));
    ASSERT_TRUE(directory_.remove_user("ann@example.org"));
    EXPECT_THAT(resolve("postmaster@example.org"), ElementsAre("bob@example.org"));
    alias("@example.org", {"leser@xn--bcher-kva.example"});
    EXPECT_THAT(resolve("postmaster@example.org"), ElementsAre("leser@xn--bcher-kva.example"))
        << "a catch-all goes before it";
    ASSERT_TRUE(directory_.add_user("postmaster@example.org", ""));
    EXPECT_THAT(resolve("postmaster"), ElementsAre("postmaster@example.org"));
}

TEST_F(ResolverTest, InternationalDomains) {
    EXPECT_THAT(resolve("leser@b\xc3\xbc"
                        "cher.example"),
                ElementsAre("leser@xn--bcher-kva.example"));
    EXPECT_THAT(resolve("x@stra\xc3\x9f"
                        "e.example"),
                ElementsAre("x@xn--strae-oqa.example"));
}

TEST_F(ResolverTest, DanglingTargetsReachNobody) {
    alias("gone@example.org", {"nobody@example.org"});
    EXPECT_THAT(resolve("gone@example.org"), IsEmpty());
}

TEST_F(ResolverTest, OwnOfOthersOrForeign) {
    alias("sales@example.org", {"ann@example.org"});
    alias("@old.example", {"@example.org"});
    const auto ann = id_of("ann@example.org");
    for (const char* own :
         {"ann@example.org", "Ann+x@Example.ORG", "sales@example.org", "ann@old.example"}) {
        EXPECT_EQ(*resolver_.ownership(ann, own), Ownership::own) << own;
    }
    for (const char* others : {"bob@example.org", "nobody@example.org",
                               "leser@b\xC3\xBC"
                               "cher.example",
                               "\xC3\xA4 b@example.org"}) {
        EXPECT_EQ(*resolver_.ownership(ann, others), Ownership::others) << others;
    }
    for (const char* foreign : {"ann@remote.example", "ann@[192.0.2.1]", "ann"}) {
        EXPECT_EQ(*resolver_.ownership(ann, foreign), Ownership::foreign) << foreign;
    }
}

TEST_F(ResolverTest, ExpansionIsBounded) {
    for (const int list : {0, 1, 2}) {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < directory::max_alias_targets; ++i) {
            all.push_back(std::to_string(list) + "-" + std::to_string(i) + "@remote.example");
        }
        alias("l" + std::to_string(list) + "@example.org", all);
    }
    alias("two@example.org", {"l0@example.org", "l1@example.org"});
    EXPECT_EQ(resolve("two@example.org").size(), max_expansion);
    alias("three@example.org", {"two@example.org", "l2@example.org"});
    const auto resolved = resolver_.resolve("three@example.org");
    ASSERT_FALSE(resolved);
    EXPECT_EQ(resolved.error().code, Errc::limit);
    EXPECT_EQ(*resolver_.ownership(id_of("ann@example.org"), "three@example.org"),
              Ownership::others);
}

}  // namespace
}  // namespace postern::addresses

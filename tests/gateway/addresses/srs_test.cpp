#include "gateway/addresses/srs.h"

#include "gateway/addresses/resolver.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

namespace postern::addresses {
namespace {

const Time now{std::chrono::days(20'000)};
const Srs ours("a secret of our own");

std::string changed_case(std::string text, int (*to)(int)) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [&](unsigned char c) { return static_cast<char>(to(c)); });
    return text;
}

TEST(Srs, ThereAndBack) {
    const auto path = ours.forward("Ann.Ex+x@remote.example", "example.org", now);
    EXPECT_TRUE(path.starts_with("SRS0=")) << path;
    EXPECT_TRUE(path.ends_with("=remote.example=Ann.Ex+x@example.org")) << path;
    EXPECT_TRUE(Srs::is_srs(path));
    EXPECT_EQ(*ours.reverse(path, now), "Ann.Ex+x@remote.example");
    EXPECT_EQ(*ours.reverse(changed_case(path, std::tolower), now), "ann.ex+x@remote.example");
    EXPECT_EQ(*ours.reverse(changed_case(path, std::toupper), now), "ANN.EX+X@REMOTE.EXAMPLE");
    const auto with_equals = ours.forward("a=b=c@remote.example", "example.org", now);
    EXPECT_EQ(*ours.reverse(with_equals, now), "a=b=c@remote.example");
}

TEST(Srs, RunsOutAfterItsDays) {
    const auto path = ours.forward("a@remote.example", "example.org", now);
    EXPECT_TRUE(ours.reverse(path, now + std::chrono::days(srs_valid_days)));
    const auto late = ours.reverse(path, now + std::chrono::days(srs_valid_days + 1));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::not_found);
    // Days are counted in a circle; one made "tomorrow" is far too old.
    EXPECT_FALSE(ours.reverse(path, now - std::chrono::days(1)));
    const auto at_wrap = Time(std::chrono::days(1024 * 20 - 1));
    const auto wrapped = ours.forward("a@remote.example", "example.org", at_wrap);
    EXPECT_TRUE(ours.reverse(wrapped, at_wrap + std::chrono::days(2)));
}

TEST(Srs, StrangersCannotMakeOne) {
    const auto path = ours.forward("a@remote.example", "example.org", now);
    EXPECT_FALSE(Srs("another secret").reverse(path, now));
    for (std::size_t i = 5; i < path.find('@'); ++i) {
        std::string changed = path;
        changed[i] = changed[i] == 'b' ? 'c' : 'b';
        EXPECT_FALSE(ours.reverse(changed, now)) << changed;
        EXPECT_FALSE(ours.reverse(path.substr(0, i) + "@example.org", now)) << i;
    }
    for (const char* text : {"", "a@b", "SRS0@example.org", "SRS0=@example.org", "srs0=x=y@b.c",
                             "SRS1=x=y@b.c", "SRS0=@", "@example.org"}) {
        EXPECT_FALSE(ours.reverse(text, now)) << text;
    }
}

TEST(Srs, OverSeveralForwarders) {
    const Srs first("first"), second("second"), third("third");
    const auto once = first.forward("ann@remote.example", "first.example", now);
    const auto twice = second.forward(once, "second.example", now);
    EXPECT_TRUE(twice.starts_with("SRS1=")) << twice;
    const auto thrice = third.forward(twice, "third.example", now);
    EXPECT_TRUE(thrice.starts_with("SRS1=")) << thrice;
    EXPECT_LT(thrice.size(), twice.size() + 3) << "the way does not grow with each forwarder";
    EXPECT_EQ(*third.reverse(thrice, now), once);
    EXPECT_EQ(*second.reverse(twice, now), once);
    EXPECT_EQ(*first.reverse(once, now), "ann@remote.example");
}

TEST(Srs, WhatCannotBeRewrittenStays) {
    EXPECT_EQ(ours.forward("", "example.org", now), "");
    EXPECT_EQ(ours.forward("nobody", "example.org", now), "nobody");
    const auto overhead = ours.forward("a@b.c", "example.org", now).size() - 1;
    const std::string longest(max_srs_path_bytes - overhead, 'a');
    EXPECT_EQ(ours.forward(longest + "@b.c", "example.org", now).size(), max_srs_path_bytes);
    EXPECT_EQ(ours.forward(longest + "a@b.c", "example.org", now), longest + "a@b.c");
}

TEST(Srs, TheSecretIsMadeOnceAndPrivate) {
    char folder[] = "/tmp/postern-srs-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    const std::string file = std::string(folder) + "/srs.key";
    const auto made = load_or_make_secret(file);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(*load_or_make_secret(file), *made);
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    std::ofstream(file, std::ios::trunc) << "short";
    EXPECT_FALSE(load_or_make_secret(file));
    EXPECT_FALSE(load_or_make_secret(std::string(folder) + "/none/srs.key"));
    std::filesystem::remove_all(folder);
}

TEST(Srs, TheResolverKnowsItsOwn) {
    const auto store = kv::make_memory_store();
    directory::Directory directory(*store);
    directory::Aliases aliases(*store);
    ASSERT_TRUE(directory.add_domain("example.org"));
    Resolver resolver(directory, aliases, &ours);
    const auto today =
        std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
    const auto path = resolver.forwarding_path("ann@remote.example", "Example.org", today);
    ASSERT_TRUE(path);
    const auto back = resolver.resolve(*path);
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->only_bounces);
    EXPECT_EQ(back->others, std::vector<std::string>{"ann@remote.example"});
    EXPECT_FALSE(resolver.resolve("x" + *path)->found());
    std::string forged = *path;
    forged[5] = forged[5] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(resolver.resolve(forged)->found());
    EXPECT_EQ(*resolver.forwarding_path("ann@example.org", "example.org", today),
              "ann@example.org");
    EXPECT_EQ(*resolver.forwarding_path("", "example.org", today), "");
    EXPECT_EQ(*Resolver(directory, aliases).forwarding_path("a@b.example", "example.org", today),
              "a@b.example");
}

}  // namespace
}  // namespace postern::addresses

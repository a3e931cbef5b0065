#include "gateway/net/connection_limits.h"
#include "gateway/net/tls.h"
#include "gateway/net/work_pool.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>

namespace postern::net {
namespace {

struct Folder {
    Folder() {
        char name[] = "/tmp/postern-tls-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};

TEST(SelfSigned, IsMadeOnceAndKeyIsPrivate) {
    Folder folder;
    auto first = ensure_self_signed(folder.path + "/tls", "mx.example.net");
    ASSERT_TRUE(first) << first.error().text;
    EXPECT_TRUE(first->made);
    struct stat info {};
    ASSERT_EQ(::stat(first->key.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    auto context = TlsContext::load(first->certificate, first->key);
    ASSERT_TRUE(context) << context.error().text;

    auto second = ensure_self_signed(folder.path + "/tls", "mx.example.net");
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->made);
    EXPECT_EQ((*TlsContext::load(second->certificate, second->key))->fingerprint(),
              (*context)->fingerprint());
    EXPECT_EQ((*context)->fingerprint().size(), 64u);
}

TEST(SelfSigned, LongNameAndUnwritableFolder) {
    Folder folder;
    EXPECT_TRUE(ensure_self_signed(folder.path + "/long", std::string(200, 'a') + ".example.net"));
    std::ofstream(folder.path + "/file") << "x";
    auto refused = ensure_self_signed(folder.path + "/file", "mx.example.net");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
}

TEST(TlsContext, RefusesWhatDoesNotFit) {
    Folder folder;
    auto one = ensure_self_signed(folder.path + "/one", "one.example");
    auto two = ensure_self_signed(folder.path + "/two", "two.example");
    ASSERT_TRUE(one && two);
    EXPECT_EQ(TlsContext::load(one->certificate, two->key).error().code, Errc::invalid);
    EXPECT_EQ(TlsContext::load(one->key, one->key).error().code, Errc::invalid);
    EXPECT_EQ(TlsContext::load(folder.path + "/none", one->key).error().code, Errc::not_found);
    EXPECT_EQ(TlsContext::load(one->certificate, folder.path + "/none").error().code,
              Errc::not_found);
}

TEST(ConnectionLimits, CountsInAllAndByAddress) {
    auto limits = std::make_shared<ConnectionLimits>(3, 2);
    auto a = limits->admit("192.0.2.1");
    auto b = limits->admit("192.0.2.1");
    EXPECT_TRUE(a && b);
    EXPECT_FALSE(limits->admit("192.0.2.1"));
    auto c = limits->admit("192.0.2.2");
    EXPECT_TRUE(c);
    EXPECT_FALSE(limits->admit("192.0.2.3"));
    a.reset();
    EXPECT_EQ(limits->active(), 2u);
    EXPECT_TRUE(limits->admit("192.0.2.3"));
    limits->change(1, 1);
    EXPECT_FALSE(limits->admit("192.0.2.4"));
    EXPECT_EQ(limits->refused(), 3u);
}

TEST(ConnectionLimits, Ipv6NetworkIsOneAddress) {
    auto limits = std::make_shared<ConnectionLimits>(10, 1);
    auto a = limits->admit("2001:db8:0:1::1");
    EXPECT_TRUE(a);
    EXPECT_FALSE(limits->admit("2001:db8:0:1:ffff::2"));
    EXPECT_TRUE(limits->admit("2001:db8:0:2::1"));
}

TEST(WorkPool, RefusesOverItsBoundAndRunsWhatItTook) {
    std::atomic<int> ran{0};
    std::mutex gate;
    {
        WorkPool pool(1, 2);
        std::atomic<bool> begun{false};
        std::unique_lock hold(gate);
        ASSERT_TRUE(pool.post([&] {
            begun = true;
            std::lock_guard wait(gate);
            ++ran;
        }));
        while (!begun) std::this_thread::yield();
        EXPECT_TRUE(pool.post([&] { ++ran; }));
        EXPECT_TRUE(pool.post([&] { ++ran; }));
        EXPECT_FALSE(pool.post([&] { ++ran; }));
        hold.unlock();
    }
    EXPECT_EQ(ran, 3);
}

}  // namespace
}  // namespace postern::net

#include "gateway/control/control.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>
#include <vector>

namespace postern::control {
namespace {

using nlohmann::json;

class Control : public testing::Test {
protected:
    void SetUp() override {
        char folder[] = "/tmp/postern-ctl-XXXXXX";
        ASSERT_NE(::mkdtemp(folder), nullptr);
        folder_ = folder;
        path_ = folder_ + "/control.sock";
        server_.on("echo", [](const json& asked, json& reply) -> Result<void> {
            reply["text"] = asked.value("text", "");
            return {};
        });
        server_.on("fail", [](const json&, json&) -> Result<void> {
            return Error{Errc::invalid, "it does not work"};
        });
        auto started = server_.start(path_);
        ASSERT_TRUE(started) << started.error().text;
    }
    void TearDown() override {
        server_.stop();
        EXPECT_FALSE(std::filesystem::exists(path_));
        std::filesystem::remove_all(folder_);
    }

    Result<void> ask(const json& asked) { return request(path_, asked, reply_); }

    std::string folder_, path_;
    json reply_;
    Server server_;
};

TEST_F(Control, AnswersCommands) {
    auto reply = ask({{"command", "echo"}, {"text", std::string(100'000, 'x')}});
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(reply_["text"].get<std::string>().size(), 100'000u);
}

TEST_F(Control, RefusesWithAReason) {
    EXPECT_EQ(ask({{"command", "fail"}}).error().text, "it does not work");
    EXPECT_EQ(ask({{"command", "nonsense"}}).error().text, "unknown command");
    EXPECT_EQ(ask({{"command", 5}}).error().code, Errc::invalid);
    EXPECT_EQ(ask(json::array()).error().code, Errc::invalid);
    EXPECT_EQ(ask("text").error().code, Errc::invalid);
}

TEST_F(Control, LinesOverTheLimitEndTheConnectionOnly) {
    const std::string text(max_line_bytes, 'x');
    EXPECT_FALSE(ask({{"command", "echo"}, {"text", text}}));
    EXPECT_TRUE(ask({{"command", "echo"}, {"text", "y"}}));
}

TEST_F(Control, SocketIsPrivate) {
    struct stat info {};
    ASSERT_EQ(::stat(path_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(Control, ManyClientsAtOnce) {
    std::vector<std::thread> threads;
    std::atomic<int> answered{0};
    for (int i = 0; i < 50; ++i) {
        threads.emplace_back([&] {
            json reply;
            if (request(path_, {{"command", "echo"}, {"text", "x"}}, reply)) ++answered;
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(answered, 50);  // more than max_clients: some wait for their turn
}

TEST(ControlClient, SaysWhenNobodyListens) {
    json reply;
    const json asked = {{"command", "x"}};
    EXPECT_EQ(request("/tmp/postern-no-such.sock", asked, reply).error().code, Errc::not_found);
    EXPECT_EQ(request(std::string(200, 'x'), asked, reply).error().code, Errc::not_found);
}

}  // namespace
}  // namespace postern::control

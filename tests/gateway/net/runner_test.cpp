#include "gateway/net/server.h"
#include "tests/gateway/net/client.h"
#include "tests/gateway/net/line_engine.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <vector>

namespace postern::net {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class Runner : public testing::Test {
protected:
    void SetUp() override {
        char folder[] = "/tmp/postern-net-XXXXXX";
        ASSERT_NE(::mkdtemp(folder), nullptr);
        folder_ = folder;
    }
    void TearDown() override {
        server_.reset();
        EXPECT_EQ(seen_.services, 0);
        std::filesystem::remove_all(folder_);
    }

    void start(bool implicit_tls = false) {
        options_.threads = 2;
        server_ = std::make_unique<Server>(options_);
        auto files = ensure_self_signed(folder_, "mx.example.net");
        ASSERT_TRUE(files);
        auto tls = TlsContext::load(files->certificate, files->key);
        ASSERT_TRUE(tls) << tls.error().text;
        server_->set_tls(*tls);
        Listener listener;
        listener.name = "line";
        listener.endpoint = {"127.0.0.1", 0};
        listener.implicit_tls = implicit_tls;
        listener.limits = limits_;
        listener.refusal = [] { return std::string("full\n"); };
        listener.factory = [this](Session& session) {
            return make_conversation<line::Protocol>(
                config_, session, std::make_unique<line::Service>(seen_, session));
        };
        auto port = server_->listen(listener);
        ASSERT_TRUE(port) << port.error().text;
        port_ = *port;
        server_->start();
    }

    // Server-side state follows the client's with a delay.
    template <class Condition>
    static bool soon(Condition condition) {
        for (int i = 0; i < 500; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }

    std::string folder_;
    ServerOptions options_;
    line::Config config_;
    line::Seen seen_;
    std::shared_ptr<ConnectionLimits> limits_ = std::make_shared<ConnectionLimits>(10000, 10000);
    std::uint16_t port_ = 0;
    std::unique_ptr<Server> server_;
};

TEST_F(Runner, CommandsPipelinedAndByteByByte) {
    start();
    Client client(port_);
    EXPECT_EQ(client.line(), "hello");
    client.send("echo a\necho b\nask c\necho d\nnonsense\n");
    for (const char* expected : {"a", "b", "answer c", "d", "what"})
        EXPECT_EQ(client.line(), expected);
    for (char c : std::string("echo slow\nquit\n")) client.send({&c, 1});
    EXPECT_EQ(client.line(), "slow");
    EXPECT_EQ(client.line(), "bye");
    EXPECT_EQ(client.line(), "<end>");
    EXPECT_TRUE(soon([&] { return server_->sessions() == 0; }));
}

TEST_F(Runner, StartTlsDropsPlaintextThatCameWithIt) {
    start();
    Client client(port_);
    EXPECT_EQ(client.line(), "hello");
    client.send("tls\necho injected\n");
    EXPECT_EQ(client.line(), "go");
    ASSERT_TRUE(client.secure());
    EXPECT_EQ(client.line(), "secured");
    client.send("ask x\n");
    EXPECT_EQ(client.line(), "answer x secret");
    EXPECT_TRUE(client.tls_version() == "TLSv1.3" || client.tls_version() == "TLSv1.2");
}

TEST_F(Runner, ImplicitTls) {
    start(true);
    Client client(port_);
    ASSERT_TRUE(client.secure());
    EXPECT_EQ(client.line(), "hello under TLS");
    client.send("stream 300000\nquit\n");
    EXPECT_EQ(client.exactly(300000), std::string(300000, 'x'));
    EXPECT_EQ(client.line(), "bye");
    EXPECT_EQ(client.line(), "<end>");
}

TEST_F(Runner, TlsInputLargerThanOneReadIsNotForgotten) {
    start(true);
    Client client(port_);
    ASSERT_TRUE(client.secure());
    EXPECT_EQ(client.line(), "hello under TLS");
    std::string commands;
    for (int i = 0; i < 40; ++i) commands += "chunk " + std::string(9000, 'c') + "\n";
    client.send(commands + "echo done\n");
    EXPECT_EQ(client.line(), "done");
    EXPECT_EQ(seen_.chunk_bytes, 40 * 9000);
}

TEST_F(Runner, GarbageInsteadOfHandshakeEndsOnlyThatSession) {
    start(true);
    Client good(port_);
    Client bad(port_);
    bad.send("EHLO plain\r\n");
    EXPECT_NE(bad.rest(), "EHLO plain\r\n");
    ASSERT_TRUE(good.secure());
    EXPECT_EQ(good.line(), "hello under TLS");
}

TEST_F(Runner, SilentHandshakeTimesOut) {
    options_.handshake_timeout = 100ms;
    start(true);
    Client client(port_);
    EXPECT_EQ(client.line(), "<end>");
}

TEST_F(Runner, IdleSessionEndsAtTheEnginesDeadline) {
    config_.idle_timeout = 200ms;
    start();
    Client client(port_);
    EXPECT_EQ(client.line(), "hello");
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(client.line(), "timeout");
    EXPECT_EQ(client.line(), "<end>");
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
}

TEST_F(Runner, ClientThatNeverReadsIsDroppedWhileBackPressureHolds) {
    options_.write_timeout = 300ms;
    start();
    Client client(port_, 4096);
    EXPECT_EQ(client.line(), "hello");
    client.send("stream 90000000\n");
    EXPECT_TRUE(soon([&] { return server_->sessions() == 0; }));
    EXPECT_LT(seen_.streamed, 30'000'000u);  // what the system's buffers took, not the whole body
}

TEST_F(Runner, BodyThatCannotBeReadClosesTheConnection) {
    start();
    Client client(port_);
    EXPECT_EQ(client.line(), "hello");
    client.send("stream 200000000\necho never\n");
    EXPECT_EQ(client.rest().find('n'), std::string::npos);
    EXPECT_TRUE(soon([&] { return server_->sessions() == 0; }));
}

TEST_F(Runner, FullInputStopsReadingUntilItIsAnswered) {
    config_.max_buffered_bytes = 1000;
    seen_.answer_delay = 200ms;
    start();
    Client client(port_);
    EXPECT_EQ(client.line(), "hello");
    std::string commands = "ask first\n";
    for (int i = 0; i < 2000; ++i) commands += "echo " + std::to_string(i) + "\n";
    client.send(commands);
    EXPECT_EQ(client.line(), "answer first");
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.line(), std::to_string(i));
}

TEST_F(Runner, HalfClosedClientStillGetsItsAnswers) {
    seen_.answer_delay = 50ms;
    start();
    Client client(port_);
    client.send("ask a\necho b\n");
    client.half_close();
    EXPECT_EQ(client.rest(), "hello\nanswer a\nb\n");
}

TEST_F(Runner, VanishingClientsLeaveNothing) {
    seen_.answer_delay = 20ms;
    start();
    for (int i = 0; i < 20; ++i) {
        Client client(port_);
        client.send("ask x\nstream 100000\n");
        client.reset();
    }
    EXPECT_TRUE(soon([&] { return server_->sessions() == 0; }));
    EXPECT_EQ(limits_->active(), 0u);
}

TEST_F(Runner, WakeFromAnotherThread) {
    start();
    Client client(port_);
    EXPECT_EQ(client.line(), "hello");
    for (int i = 0; i < 10; ++i) {
        std::thread([&] { seen_.waker()->wake(); }).join();
        EXPECT_EQ(client.line(), "changed");
    }
    client.send("quit\n");
    EXPECT_EQ(client.line(), "bye");
    EXPECT_TRUE(soon([&] { return server_->sessions() == 0; }));
    seen_.waker()->wake();  // of a session that is gone
}

TEST_F(Runner, CapsRefusePolitelyAndPlacesComeBack) {
    limits_ = std::make_shared<ConnectionLimits>(10, 2);
    start();
    {
        Client first(port_), second(port_), third(port_);
        EXPECT_EQ(first.line(), "hello");
        EXPECT_EQ(second.line(), "hello");
        EXPECT_EQ(third.line(), "full");
        EXPECT_EQ(third.line(), "<end>");
    }
    EXPECT_TRUE(soon([&] { return limits_->active() == 0; }));
    Client again(port_);
    EXPECT_EQ(again.line(), "hello");
    EXPECT_EQ(limits_->refused(), 1u);
    EXPECT_EQ(limits_->admitted(), 3u);
}

TEST_F(Runner, ShutDownTellsIdleSessionsAndFinishesQuestions) {
    seen_.answer_delay = 150ms;
    start();
    Client idle(port_), busy(port_);
    EXPECT_EQ(idle.line(), "hello");
    EXPECT_EQ(busy.line(), "hello");
    busy.send("ask x\n");
    ASSERT_TRUE(soon([&] { return seen_.asked == 1; }));
    EXPECT_TRUE(server_->shut_down(5s));
    EXPECT_EQ(idle.line(), "shutting down");
    EXPECT_EQ(idle.line(), "<end>");
    EXPECT_EQ(busy.line(), "answer x");
    EXPECT_EQ(busy.line(), "shutting down");
    EXPECT_FALSE(Client(port_).connected());
}

TEST_F(Runner, ShutDownCutsOffAfterTheGrace) {
    start();
    Client client(port_, 4096);
    EXPECT_EQ(client.line(), "hello");
    client.send("stream 90000000\n");
    ASSERT_TRUE(soon([&] { return seen_.streamed > 100'000; }));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(server_->shut_down(200ms));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
}

TEST_F(Runner, HundredsOfIdleConnections) {
    start();
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 400; ++i) {
        clients.push_back(std::make_unique<Client>(port_));
        ASSERT_TRUE(clients.back()->connected());
    }
    for (auto& client : clients) ASSERT_EQ(client->line(), "hello");
    for (auto& client : clients) ASSERT_TRUE(client->send("echo still here\n"));
    for (auto& client : clients) ASSERT_EQ(client->line(), "still here");
    EXPECT_EQ(server_->sessions(), 400u);
}

TEST_F(Runner, SpawnedJobsAreWaitedFor) {
    start();
    std::atomic<bool> ended{false};
    server_->spawn([&]() -> Awaitable<void> {
        co_await sleep_for(100ms);
        ended = true;
    });
    EXPECT_TRUE(server_->shut_down(5s));
    EXPECT_TRUE(ended);
}

TEST_F(Runner, AddressInUseIsSaid) {
    start();
    Server other({});
    Listener listener;
    listener.name = "smtp";
    listener.endpoint = {"127.0.0.1", port_};
    auto outcome = other.listen(listener);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::exists);
    EXPECT_EQ(outcome.error().text.rfind("smtp 127.0.0.1:", 0), 0u) << outcome.error().text;
}

}  // namespace
}  // namespace postern::net

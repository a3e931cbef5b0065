// What the queue does with messages that are not to be tried: held, withdrawn, rejected.
#include "gateway/net/server.h"
#include "gateway/outbound/outbound.h"
#include "store/kv/random_id.h"

#include <gtest/gtest.h>

#include <future>

namespace postern::outbound {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

template <class Condition>
bool soon(Condition condition) {
    for (int i = 0; i < 500; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

queue::Message make(std::size_t recipients = 1) {
    queue::Message message;
    message.id = kv::random_id();
    message.reverse_path = message.account = "ann@example.org";
    message.queued_at =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    for (std::size_t i = 0; i < recipients; ++i) {
        queue::Recipient each;
        each.address = "r" + std::to_string(i) + "@remote.example";
        each.next_attempt = message.queued_at;
        message.recipients.push_back(each);
    }
    return message;
}

queue::Message make_held() {
    auto message = make();
    message.spam = message.held = message.notice_owed = true;
    message.recipients[0].reason = "judged spam";
    return message;
}

// One life of the daemon's outbound side, over a store that outlives it.
class Life {
public:
    explicit Life(queue::Queue& queue) : queue_(queue) { server_.start(); }
    ~Life() {
        outbound.stop();
        dialer_.shut_down();
        resolver_->shut_down();
        server_.shut_down(5s);
    }

    Result<void> add(const queue::Message& message) {
        return run<Result<void>>([&]() -> net::Awaitable<Result<void>> {
            return outbound.add(message, "Subject: x\r\n\r\nbody\r\n");
        });
    }
    void withdraw(const OperationId& id) {
        run<bool>([&]() -> net::Awaitable<bool> {
            co_await outbound.withdraw(id);
            co_return true;
        });
    }
    std::vector<std::string> reports() {
        std::lock_guard lock(mutex_);
        return reports_;
    }

    std::atomic<bool> takes_reports = true;
    std::atomic<int> refused = 0;

private:
    template <class Value>
    Value run(std::function<net::Awaitable<Value>()> job) {
        std::promise<Value> promise;
        server_.spawn([&]() -> net::Awaitable<void> {
            auto value = co_await job();
            promise.set_value(std::move(value));
        });
        return promise.get_future().get();
    }
    net::Awaitable<bool> take(std::string report) {
        if (!takes_reports) {
            ++refused;
            co_return false;
        }
        std::lock_guard lock(mutex_);
        reports_.push_back(std::move(report));
        co_return true;
    }
    static dns::Options nobody() {
        dns::Options options;
        options.servers = {"127.0.0.1@1"};
        options.timeout = 100ms;
        return options;
    }

    queue::Queue& queue_;
    std::mutex mutex_;
    std::vector<std::string> reports_;
    config::Current config_{config::Config{}};
    std::unique_ptr<dns::Resolver> resolver_ = *dns::Resolver::make(nobody());
    net::Dialer dialer_;
    Courier courier_{config_, *resolver_, dialer_};
    net::WorkPool pool_{1, 100};
    net::Server server_{net::ServerOptions{1}};

public:
    Outbound outbound{Outbound::Backends{
        queue_, config_, courier_, pool_,
        [this](std::function<net::Awaitable<void>()> job) { server_.spawn(std::move(job)); },
        [this](std::string, std::string report, bool) { return take(std::move(report)); }}};
};

class NoticesTest : public testing::Test {
protected:
    queue::Message row(const OperationId& id) { return queue_.find(id)->value(); }
    bool is_gone(const OperationId& id) { return !queue_.find(id)->has_value(); }

    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    queue::Queue queue_{*store_};
};

TEST_F(NoticesTest, TheNoticeOfHeldMailSurvivesACrash) {
    const auto message = make_held();
    {
        Life first(queue_);
        ASSERT_TRUE(first.outbound.start());
        ASSERT_TRUE(first.add(message));
        first.outbound.look_again();
        std::this_thread::sleep_for(50ms);
        EXPECT_TRUE(first.reports().empty()) << "told before it surely stays";
    }
    {
        Life second(queue_);
        ASSERT_TRUE(second.outbound.start());
        ASSERT_TRUE(soon([&] { return !row(message.id).notice_owed; }));
        ASSERT_EQ(second.reports().size(), 1u);
        EXPECT_NE(second.reports()[0].find("Action: delayed"), std::string::npos);
        EXPECT_NE(second.reports()[0].find("judged spam"), std::string::npos);
        EXPECT_TRUE(row(message.id).held);
    }
    Life third(queue_);
    ASSERT_TRUE(third.outbound.start());
    third.outbound.look_again();
    std::this_thread::sleep_for(50ms);
    EXPECT_TRUE(third.reports().empty());
}

TEST_F(NoticesTest, ANoticeThatCannotBeStoredIsTriedAgain) {
    Life life(queue_);
    ASSERT_TRUE(life.outbound.start());
    life.takes_reports = false;
    const auto message = make_held();
    ASSERT_TRUE(life.add(message));
    life.outbound.stands(message.id);
    ASSERT_TRUE(soon([&] {
        return row(message.id).recipients[0].next_attempt > message.queued_at + notice_pause / 2;
    }));
    EXPECT_EQ(life.refused, 1);
    EXPECT_TRUE(row(message.id).notice_owed);
    life.takes_reports = true;
    ASSERT_TRUE(queue_.change(message.id, [](queue::Message& each) {
        each.recipients[0].next_attempt = from_unix_ms(0);
    }));
    life.outbound.look_again();
    ASSERT_TRUE(soon([&] { return !row(message.id).notice_owed; }));
    EXPECT_EQ(life.reports().size(), 1u);
}

TEST_F(NoticesTest, AllPartsAreWithdrawnOrStand) {
    Life life(queue_);
    ASSERT_TRUE(life.outbound.start());
    const auto message = make(2 * queue::max_recipients + 1);
    ASSERT_TRUE(life.add(message));
    EXPECT_EQ(queue_.all()->size(), 3u);
    life.outbound.look_again();
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(life.outbound.waiting(), 0u) << "tried, though it may be withdrawn";
    life.withdraw(message.id);
    EXPECT_EQ(queue_.all()->size(), 0u);
    life.outbound.stands(message.id);
    EXPECT_EQ(life.outbound.waiting(), 0u);

    ASSERT_TRUE(life.add(message));
    life.outbound.stands(message.id);
    EXPECT_TRUE(soon([&] { return life.outbound.waiting() == 3; }));
}

TEST_F(NoticesTest, APartThatCannotBeQueuedTakesTheOthersBack) {
    Life life(queue_);
    ASSERT_TRUE(life.outbound.start());
    auto message = make(queue::max_recipients + 1);
    message.recipients.back().address = std::string(queue::max_address_bytes + 1, 'x');
    EXPECT_EQ(life.add(message).error().code, Errc::limit);
    EXPECT_EQ(queue_.all()->size(), 0u);
}

TEST_F(NoticesTest, WhatAnAdminRejectsGoesBackToItsSender) {
    Life life(queue_);
    ASSERT_TRUE(life.outbound.start());
    auto message = make_held();
    message.notice_owed = false;
    auto unwanted = make_held();
    unwanted.recipients[0].notify = smtp::notify_never;
    auto bounce = make_held();
    bounce.reverse_path.clear();
    for (const auto& each : {message, unwanted, bounce}) {
        ASSERT_TRUE(queue_.add(each, "Subject: x\r\n\r\n"));
        ASSERT_TRUE(queue_.change(each.id, [](queue::Message& edited) {
            edited.held = edited.notice_owed = false;
            edited.rejected = true;
            edited.recipients[0].reason = "rejected by the postmaster: no advertising";
        }));
    }
    life.takes_reports = false;
    life.outbound.look_again();
    ASSERT_TRUE(soon([&] { return life.refused == 1; }));
    ASSERT_TRUE(soon([&] { return is_gone(unwanted.id) && is_gone(bounce.id); }));
    ASSERT_TRUE(soon([&] {
        return row(message.id).recipients[0].next_attempt > message.queued_at + report_pause / 2;
    })) << "kept until its sender is told";
    life.takes_reports = true;
    ASSERT_TRUE(queue_.change(message.id, [](queue::Message& each) {
        each.recipients[0].next_attempt = from_unix_ms(0);
    }));
    life.outbound.look_again();
    ASSERT_TRUE(soon([&] { return is_gone(message.id); }));
    ASSERT_EQ(life.reports().size(), 1u);
    EXPECT_NE(life.reports()[0].find("Action: failed"), std::string::npos);
    EXPECT_NE(life.reports()[0].find("no advertising"), std::string::npos);
}

}  // namespace
}  // namespace postern::outbound

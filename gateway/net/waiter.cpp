#include "gateway/net/awaitable.h"
#include "gateway/net/resume.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <mutex>

namespace postern::net {

struct OneShot::State {
    std::mutex mutex;
    bool set = false;
    std::unique_ptr<Resume> waiter;
    unsigned round = 0;  // of waiting with a limit
};

OneShot::OneShot() : state_(std::make_shared<State>()) {}
OneShot::~OneShot() = default;

void OneShot::set() {
    std::unique_ptr<Resume> waiter;
    {
        std::lock_guard lock(state_->mutex);
        state_->set = true;
        waiter = std::move(state_->waiter);
    }
    if (waiter) waiter->post();
}

Awaitable<void> OneShot::wait() {
    return suspend([this](std::unique_ptr<Resume> waiter) {
        std::lock_guard lock(state_->mutex);
        if (state_->set)
            waiter->post();
        else
            state_->waiter = std::move(waiter);
    });
}

Awaitable<bool> OneShot::wait_for(std::chrono::milliseconds duration) {
    const auto state = state_;  // the timer's last word may come later than this ends
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, duration);
    unsigned round = 0;
    {
        std::lock_guard lock(state->mutex);
        if (state->set) co_return true;
        round = ++state->round;
    }
    timer.async_wait([state, round](const boost::system::error_code& cancelled) {
        if (cancelled) return;
        std::unique_ptr<Resume> waiter;
        {
            std::lock_guard lock(state->mutex);
            if (state->round != round) return;
            waiter = std::move(state->waiter);
        }
        if (waiter) waiter->post();
    });
    co_await wait();
    std::lock_guard lock(state->mutex);
    ++state->round;
    co_return state->set;
}

Awaitable<void> yield_core() {
    co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                               boost::asio::use_awaitable);
}

Awaitable<void> sleep_for(std::chrono::milliseconds duration) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, duration);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace postern::net

// Threads for computations that are too long for a session's core (password hashes).
#pragma once

#include "gateway/net/awaitable.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace postern::net {

class WorkPool {
public:
    // At most max_waiting jobs wait; more are refused, so that a flood of logins costs only itself.
    WorkPool(unsigned threads, std::size_t max_waiting);
    ~WorkPool();  // ends after the jobs that have begun; waiting ones are run first
    WorkPool(const WorkPool&) = delete;
    WorkPool& operator=(const WorkPool&) = delete;

    // The job's value, on the awaiting coroutine's core; nullopt: refused.
    // Give the job a name first when it captures more than references: g++ 12 destroys a temporary
    // closure inside a co_await expression twice.
    template <class Job>
    auto run(Job&& job) -> Awaitable<std::optional<std::decay_t<decltype(job())>>> {
        auto waiting = std::make_shared<Waiting<std::decay_t<decltype(job())>>>();
        const bool taken = post([waiting, job = std::forward<Job>(job)]() mutable {
            waiting->value.emplace(job());
            waiting->ready.set();
        });
        return wait_for(std::move(waiting), taken);
    }

    bool post(std::function<void()> job);  // false: refused

private:
    template <class Value>
    struct Waiting {
        OneShot ready;
        std::optional<Value> value;
    };

    template <class Value>
    static Awaitable<std::optional<Value>> wait_for(std::shared_ptr<Waiting<Value>> waiting,
                                                    bool taken) {
        if (!taken) co_return std::nullopt;
        co_await waiting->ready.wait();
        co_return std::move(waiting->value);
    }

    void work();

    const std::size_t max_waiting_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> waiting_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace postern::net

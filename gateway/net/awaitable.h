// The coroutine type of all session code, and the bridge from callbacks on other threads.
//
// A coroutine of a session runs on the one thread of its core from the first line to the last, so
// session code needs no locks. Never block in one for longer than a short computation: hand the
// work to a store (from_store) or to a WorkPool (gateway/net/work_pool.h).
#pragma once

#include "protocols/base/result.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace postern::net {

template <class T>
using Awaitable = boost::asio::awaitable<T>;

// Set once by any thread, waited for by one coroutine at a time, in either order.
class OneShot {
public:
    OneShot();
    ~OneShot();
    OneShot(const OneShot&) = delete;
    OneShot& operator=(const OneShot&) = delete;

    // Any thread. The waiter goes on on its own executor, never inside this call.
    void set();
    Awaitable<void> wait();
    // False: not yet set after that time.
    Awaitable<bool> wait_for(std::chrono::milliseconds duration);

private:
    struct State;
    const std::shared_ptr<State> state_;
};

// Lets other work of the core run first: for loops over many rows.
Awaitable<void> yield_core();
Awaitable<void> sleep_for(std::chrono::milliseconds duration);

// A call into a store that has been started and not yet been waited for; several may be under way
// at once. `start(done)` is called at once by the constructor; `done` takes a Result<T> once, on
// any thread (mail::Done<T>, spool callbacks).
template <class T>
class StoreCall {
public:
    template <class Start>
    explicit StoreCall(Start&& start) {
        start([shared = shared_](Result<T> result) {
            shared->result.emplace(std::move(result));
            shared->ready.set();
        });
    }

    // The result, on the awaiting coroutine's own core. Once.
    Awaitable<Result<T>> wait() const { return wait_for(shared_); }
    // False: wait() would still wait after that time.
    Awaitable<bool> is_done_within(std::chrono::milliseconds duration) const {
        return is_set_within(shared_, duration);
    }

private:
    struct Shared {
        OneShot ready;
        std::optional<Result<T>> result;
    };

    static Awaitable<Result<T>> wait_for(std::shared_ptr<Shared> shared) {
        co_await shared->ready.wait();
        co_return std::move(*shared->result);
    }

    static Awaitable<bool> is_set_within(std::shared_ptr<Shared> shared,
                                         std::chrono::milliseconds duration) {
        co_return co_await shared->ready.wait_for(duration);
    }

    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// Starts a call and waits for it:
//
//   auto appended = co_await from_store<mail::Appended>(
//       [&](mail::Done<mail::Appended> done) { store.append(mailbox, message, id, std::move(done));
//       });
template <class T, class Start>
Awaitable<Result<T>> from_store(Start&& start) {
    return StoreCall<T>(std::forward<Start>(start)).wait();
}

}  // namespace postern::net

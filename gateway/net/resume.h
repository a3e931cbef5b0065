// A suspended coroutine as a plain object. Inner header of gateway/net.
#pragma once

#include "gateway/net/awaitable.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace postern::net {

class Resume {
public:
    virtual ~Resume() = default;
    virtual void post() = 0;      // from any thread; goes on on the coroutine's core
    virtual void dispatch() = 0;  // on the coroutine's core: goes on inside this call
};

template <class Handler>
class ResumeHandler final : public Resume {
public:
    explicit ResumeHandler(Handler handler)
        : executor_(boost::asio::get_associated_executor(handler)), handler_(std::move(handler)) {}
    void post() override { boost::asio::post(executor_, std::move(handler_)); }
    void dispatch() override { boost::asio::dispatch(executor_, std::move(handler_)); }

private:
    boost::asio::associated_executor_t<Handler> executor_;
    Handler handler_;
};

// Suspends the calling coroutine and gives `keep` the object that resumes it. A Resume that is
// dropped unused destroys the coroutine.
template <class Keep>
Awaitable<void> suspend(Keep keep) {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [keep = std::move(keep)](auto handler) mutable {
            keep(std::make_unique<ResumeHandler<decltype(handler)>>(std::move(handler)));
        },
        boost::asio::use_awaitable);
}

}  // namespace postern::net

#include "gateway/net/connection.h"

#include <boost/asio/bind_executor.hpp>

namespace postern::net {

namespace {

// Events that hold from then on; the others are gone once seen.
constexpr unsigned sticky = Connection::stopping | Connection::aborted;

}  // namespace

void Connection::raise(unsigned events) {
    raised_ |= events;
    if (waiter_ && (raised_ & awaited_) != 0) {
        auto waiter = std::move(waiter_);
        waiter->dispatch();
    }
}

Awaitable<unsigned> Connection::wait(unsigned mask) {
    if ((raised_ & mask) == 0) {
        awaited_ = mask;
        co_await suspend([this](std::unique_ptr<Resume> waiter) { waiter_ = std::move(waiter); });
        turn_began_ = Clock::now();
    }
    const unsigned events = raised_ & mask;
    raised_ &= ~(events & ~sticky);
    co_return events;
}

Awaitable<bool> Connection::wait_for_socket(Io needed, Clock::time_point deadline) {
    const Event event = needed == Io::needs_write ? writable : readable;
    raised_ &= ~unsigned{event};
    arm_socket(event);
    for (;;) {
        arm_timer(deadline);
        const unsigned events = co_await wait(event | timer | aborted);
        if ((events & aborted) != 0) co_return false;
        if ((events & event) != 0) co_return true;
        if (Clock::now() >= deadline) co_return false;
    }
}

Awaitable<void> Connection::pause(std::chrono::milliseconds duration) {
    const auto end = Clock::now() + duration;
    while (Clock::now() < end) {
        arm_timer(end);
        const unsigned events = co_await wait(timer | stopping | aborted);
        if ((events & sticky) != 0) co_return;
    }
}

void Connection::arm_socket(Event event) {
    if ((armed_ & event) != 0) return;
    armed_ |= event;
    const auto kind = event == readable ? boost::asio::socket_base::wait_read
                                        : boost::asio::socket_base::wait_write;
    socket_.async_wait(kind, [self = shared_from_this(), event](const boost::system::error_code&) {
        self->armed_ &= ~unsigned{event};
        self->raise(event);
    });
}

// The timer is left alone while it fires early enough: most deadlines move on before they are
// reached.
void Connection::arm_timer(Clock::time_point at) {
    if (timer_at_ && *timer_at_ <= at) return;
    timer_at_ = at;
    timer_.expires_at(at);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (error) return;
        self->timer_at_.reset();
        self->raise(timer);
    });
}

}  // namespace postern::net

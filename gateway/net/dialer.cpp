#include "gateway/net/dialer.h"

#include "gateway/net/client_tls.h"
#include "gateway/net/stream.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <mutex>
#include <set>

namespace postern::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t read_bytes = 16 * 1024;

Error broken(std::string_view text) {
    return Error{Errc::unavailable, std::string(text)};
}

}  // namespace

class OutgoingSocket;

struct Dialer::Shared {
    std::mutex mutex;
    bool ending = false;
    std::set<OutgoingSocket*> open;
};

class OutgoingSocket final : public Outgoing {
public:
    OutgoingSocket(asio::any_io_executor executor, std::shared_ptr<Dialer::Shared> shared)
        : socket_(std::make_shared<tcp::socket>(executor)),
          timer_(executor),
          stream_(-1),
          shared_(std::move(shared)) {
        std::lock_guard lock(shared_->mutex);
        cancelled_ = shared_->ending;
        shared_->open.insert(this);
    }
    ~OutgoingSocket() override {
        {
            std::lock_guard lock(shared_->mutex);
            shared_->open.erase(this);
        }
        stream_.close_notify();
        error_code ignored;
        socket_->close(ignored);
    }

    Awaitable<Result<void>> connect(tcp::endpoint to, Clock::time_point deadline);
    Awaitable<Result<std::string>> read(Clock::time_point deadline) override;
    Awaitable<Result<void>> write(std::string_view bytes, Clock::time_point deadline) override;
    Awaitable<Result<void>> start_tls(TlsPeer peer, Clock::time_point deadline) override;
    std::string tls_protocol() const override { return stream_.protocol(); }

    // Under the lock of shared_, any thread.
    void cancel() {
        cancelled_ = true;
        asio::post(socket_->get_executor(), [socket = socket_] {
            error_code ignored;
            socket->cancel(ignored);
        });
    }

private:
    // False: too late, or cancelled.
    Awaitable<bool> wait(Io needed, Clock::time_point deadline);
    void arm(Clock::time_point deadline);
    Error failure(Clock::time_point deadline) const {
        if (cancelled_) return broken("the gateway is ending");
        return broken(Clock::now() >= deadline ? "timed out" : "connection lost");
    }

    std::shared_ptr<tcp::socket> socket_;
    asio::steady_timer timer_;
    Stream stream_;
    std::shared_ptr<Dialer::Shared> shared_;
    std::atomic<bool> cancelled_{false};
};

void OutgoingSocket::arm(Clock::time_point deadline) {
    timer_.expires_at(deadline);
    timer_.async_wait([socket = socket_](const error_code& error) {
        error_code ignored;
        if (!error) socket->cancel(ignored);
    });
}

Awaitable<bool> OutgoingSocket::wait(Io needed, Clock::time_point deadline) {
    if (cancelled_ || Clock::now() >= deadline) co_return false;
    arm(deadline);
    const auto kind = needed == Io::needs_write ? tcp::socket::wait_write : tcp::socket::wait_read;
    error_code failure;
    co_await socket_->async_wait(kind, asio::redirect_error(asio::use_awaitable, failure));
    timer_.cancel();
    co_return !failure && !cancelled_;
}

Awaitable<Result<void>> OutgoingSocket::connect(tcp::endpoint to, Clock::time_point deadline) {
    error_code failed;
    socket_->open(to.protocol(), failed);
    if (failed) co_return broken(failed.message());
    if (cancelled_) co_return failure(deadline);
    arm(deadline);
    co_await socket_->async_connect(to, asio::redirect_error(asio::use_awaitable, failed));
    timer_.cancel();
    if (failed == asio::error::operation_aborted) co_return failure(deadline);
    if (failed) co_return broken(failed.message());
    socket_->native_non_blocking(true, failed);
    socket_->set_option(tcp::no_delay(true), failed);
    stream_.use(socket_->native_handle());
    co_return Result<void>();
}

Awaitable<Result<std::string>> OutgoingSocket::read(Clock::time_point deadline) {
    std::string bytes(read_bytes, '\0');
    for (;;) {
        const auto got = stream_.read(bytes.data(), bytes.size());
        if (got.status == Io::done) {
            bytes.resize(got.bytes);
            co_return bytes;
        }
        if (got.status == Io::end) co_return std::string();
        if (got.status == Io::failed) co_return broken("connection lost");
        const bool ready = co_await wait(got.status, deadline);
        if (!ready) co_return failure(deadline);
    }
}

Awaitable<Result<void>> OutgoingSocket::write(std::string_view bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
        const auto sent = stream_.write(bytes);
        if (sent.status == Io::done) {
            bytes.remove_prefix(sent.bytes);
            continue;
        }
        if (sent.status == Io::end || sent.status == Io::failed)
            co_return broken("connection lost");
        const bool ready = co_await wait(sent.status, deadline);
        if (!ready) co_return failure(deadline);
    }
    co_return Result<void>();
}

Awaitable<Result<void>> OutgoingSocket::start_tls(TlsPeer peer, Clock::time_point deadline) {
    auto session = make_client_session(peer);
    if (!session) co_return session.error();
    if (!stream_.start_client_tls(*session)) co_return broken("no memory for TLS");
    for (;;) {
        const auto outcome = stream_.handshake();
        if (outcome.status == Io::done) break;
        const bool goes_on = outcome.status == Io::needs_read || outcome.status == Io::needs_write;
        if (!goes_on) co_return broken(stream_.failure());
        const bool ready = co_await wait(outcome.status, deadline);
        if (!ready) co_return failure(deadline);
    }
    co_return Result<void>();
}

Dialer::Dialer() : shared_(std::make_shared<Shared>()) {}
Dialer::~Dialer() = default;

Awaitable<Result<std::unique_ptr<Outgoing>>> Dialer::connect(std::string address,
                                                             std::uint16_t port,
                                                             Outgoing::Clock::time_point deadline) {
    error_code bad;
    const auto numeric = asio::ip::make_address(address, bad);
    if (bad) co_return Error{Errc::invalid, address + ": no numeric address"};
    auto made = std::make_unique<OutgoingSocket>(co_await asio::this_coro::executor, shared_);
    const auto connected = co_await made->connect({numeric, port}, deadline);
    if (!connected) co_return connected.error();
    co_return std::unique_ptr<Outgoing>(std::move(made));
}

void Dialer::shut_down() {
    std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    for (auto* each : shared_->open) each->cancel();
}

}  // namespace postern::net

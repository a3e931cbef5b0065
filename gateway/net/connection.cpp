#include "gateway/net/connection.h"

#include <boost/asio/post.hpp>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace postern::net {

namespace {

constexpr std::chrono::milliseconds linger_time{2000};
constexpr std::size_t linger_bytes = 1024 * 1024;
// After so many reads without a wait the other sessions of the core get their turn.
constexpr unsigned max_reads_in_a_row = 16;
constexpr std::chrono::milliseconds max_turn{5};  // one read may hold many commands
constexpr std::size_t kept_output_bytes = 4096;

std::string random_id() {
    static constexpr char digits[] = "0123456789abcdef";
    unsigned char bytes[6] = {};
    // Few bytes from the kernel's generator always come whole once it is seeded, which getrandom
    // waits for.
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return "none";
    std::string id;
    for (unsigned char byte : bytes) {
        id += digits[byte >> 4];
        id += digits[byte & 15];
    }
    return id;
}

class ConnectionWaker final : public Waker, public std::enable_shared_from_this<ConnectionWaker> {
public:
    ConnectionWaker(boost::asio::io_context& context, std::weak_ptr<Connection> connection)
        : context_(context), connection_(std::move(connection)) {}

    void wake() override {
        if (pending_.exchange(true)) return;
        // A server waits for its connections before it ends, so holding one keeps the core in
        // being.
        auto alive = connection_.lock();
        if (!alive) return;
        boost::asio::post(context_, [self = shared_from_this(), alive = std::move(alive)] {
            self->pending_ = false;
            alive->raise(Connection::woken);
        });
    }

private:
    boost::asio::io_context& context_;
    std::weak_ptr<Connection> connection_;
    std::atomic<bool> pending_{false};
};

}  // namespace

Connection::Connection(Core& core, Shared& shared, const Listener& listener,
                       boost::asio::ip::tcp::socket socket, std::string peer_address,
                       std::unique_ptr<ConnectionLimits::Ticket> ticket)
    : core_(core),
      shared_(shared),
      listener_(listener),
      socket_(std::move(socket)),
      stream_(socket_.native_handle()),
      id_(random_id()),
      peer_address_(std::move(peer_address)),
      ticket_(std::move(ticket)),
      timer_(core.context) {
    core_.connections.insert(this);
    shared_.begin();
}

Connection::~Connection() {
    core_.connections.erase(this);
    shared_.end();
}

std::shared_ptr<Waker> Connection::waker() {
    if (!waker_) waker_ = std::make_shared<ConnectionWaker>(core_.context, weak_from_this());
    return waker_;
}

void Connection::log(logging::Level level, std::string_view event, logging::Fields fields) {
    if (!logging::enabled(level)) return;
    std::vector<logging::Field> all{
        {"session", id_}, {"service", listener_.name}, {"peer", peer_address_}};
    all.insert(all.end(), fields.begin(), fields.end());
    logging::write(level, event, all);
}

Awaitable<void> Connection::run() {
    log(logging::Level::debug, "connected", {});
    bool good = true;
    if (!ticket_) good = co_await read_proxy_header();
    if (good && listener_.implicit_tls) good = co_await handshake();
    if (good) co_await converse();
    conversation_.reset();
    timer_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    log(logging::Level::debug, "disconnected", {});
}

Awaitable<void> Connection::converse() {
    conversation_ = listener_.factory(*this);
    conversation_->start(listener_.implicit_tls);
    for (;;) {
        if ((raised_ & aborted) != 0) co_return;
        conversation_->tick(session_time());
        const Step step = co_await conversation_->run(*this);
        if (step == Step::broken) co_return;
        const bool sent = co_await flush();
        if (!sent) co_return;
        if (step == Step::start_tls) {
            const bool secured = co_await handshake();
            if (!secured) co_return;
            conversation_->tls_started();
            continue;
        }
        if (step == Step::close || peer_closed_) break;
        const bool going_on = co_await next_input();
        if (!going_on) co_return;
    }
    conversation_.reset();  // its locks are free before the peer can come back
    co_await linger();
}

// One more piece of input, or another reason to look at the engine again.
Awaitable<bool> Connection::next_input() {
    const bool wants_input = !conversation_->input_full();
    const bool waiting = conversation_->input_waiting();
    const unsigned stop = told_to_stop_ ? 0u : unsigned{stopping};
    const unsigned urgent = raised_ & (woken | aborted | stop);
    if (urgent == 0 && (waiting || (wants_input && stream_.may_have_more()))) {
        if (++reads_in_a_row_ >= max_reads_in_a_row || turn_is_over()) {
            const bool going_on = co_await give_way();
            if (!going_on) co_return false;
        }
        if (waiting) conversation_->feed({});
        else read_some();
        co_return true;
    }
    reads_in_a_row_ = 0;
    if (wants_input) arm_socket(readable);
    if (auto deadline = conversation_->deadline()) {
        arm_timer(Clock::now() + std::max<std::chrono::milliseconds>(*deadline - session_time(),
                                                                     std::chrono::milliseconds(0)));
    }
    const unsigned mask = timer | woken | aborted | stop |
                          (wants_input ? unsigned{readable} : 0u);
    const unsigned events = co_await wait(mask);
    handle(events);
    co_return (events & aborted) == 0;
}

void Connection::handle(unsigned events) {
    if ((events & woken) != 0) conversation_->woken();
    if ((events & stopping) != 0) {
        told_to_stop_ = true;
        conversation_->shut_down();
    }
    if ((events & timer) != 0) conversation_->tick(session_time());
    if ((events & readable) != 0) read_some();
}

void Connection::read_some() {
    const auto got = stream_.read(core_.read_buffer.data(), core_.read_buffer.size());
    if (got.status == Io::done) {
        conversation_->tick(session_time());
        conversation_->feed({core_.read_buffer.data(), got.bytes});
    } else if (got.status == Io::end || got.status == Io::failed) {
        peer_closed_ = true;
        conversation_->peer_closed();
    }
}

Awaitable<bool> Connection::handshake() {
    auto context = shared_.tls();
    if (!context || !stream_.start_tls(std::move(context), listener_.alpn.c_str())) {
        log(logging::Level::error, "no TLS certificate in use", {});
        co_return false;
    }
    const auto deadline = Clock::now() + shared_.handshake_timeout;
    for (;;) {
        const auto outcome = stream_.handshake();
        if (outcome.status == Io::done) break;
        bool ready = outcome.status == Io::needs_read || outcome.status == Io::needs_write;
        const bool on_wire = ready;
        if (ready) ready = co_await wait_for_socket(outcome.status, deadline);
        if (!ready) {
            log(logging::Level::info, "TLS handshake failed",
                {{"reason", on_wire ? std::string("timed out") : stream_.failure()}});
            co_return false;
        }
    }
    log(logging::Level::debug, "TLS",
        {{"protocol", stream_.protocol()}, {"cipher", stream_.cipher()}});
    co_return true;
}

void Connection::append(std::string bytes) {
    if (out_.empty())
        out_ = std::move(bytes);
    else
        out_ += bytes;
}

bool Connection::turn_is_over() const {
    return Clock::now() - turn_began_ >= max_turn;
}

Awaitable<bool> Connection::give_way() {
    reads_in_a_row_ = 0;
    co_await yield_core();
    turn_began_ = Clock::now();
    co_return (raised_ & aborted) == 0;
}

Awaitable<bool> Connection::flush() {
    auto deadline = Clock::now() + shared_.write_timeout;
    while (out_sent_ < out_.size()) {
        const auto outcome = stream_.write(std::string_view(out_).substr(out_sent_));
        if (outcome.status == Io::done) {
            out_sent_ += outcome.bytes;
            deadline = Clock::now() + shared_.write_timeout;
            continue;
        }
        if (outcome.status != Io::needs_read && outcome.status != Io::needs_write) co_return false;
        const bool ready = co_await wait_for_socket(outcome.status, deadline);
        if (!ready) {
            log(logging::Level::info, "peer takes no data", {{"unsent", pending()}});
            co_return false;
        }
    }
    out_sent_ = 0;
    if (out_.capacity() > kept_output_bytes)
        std::string().swap(out_);
    else
        out_.clear();
    co_return true;
}

// Closing a socket with unread input resets it, and the peer could lose our last reply.
Awaitable<void> Connection::linger() {
    stream_.close_notify();
    ::shutdown(socket_.native_handle(), SHUT_WR);
    const auto deadline = Clock::now() + linger_time;
    auto& buffer = core_.read_buffer;
    for (std::size_t drained = 0; drained < linger_bytes;) {
        const auto got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
        if (got > 0) {
            drained += static_cast<std::size_t>(got);
            continue;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) co_return;
        const bool ready = co_await wait_for_socket(Io::needs_read, deadline);
        if (!ready) co_return;
    }
}

}  // namespace postern::net

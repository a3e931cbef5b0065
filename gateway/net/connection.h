// One accepted socket from greeting to close: the session runner. Inner header of gateway/net.
//
// Everything here happens on the connection's core; only Waker comes from elsewhere. The runner is
// one coroutine that waits in one place for whichever comes first: readability, a deadline, a
// wake-up, the end of the server. While it waits the connection holds no buffer.
#pragma once

#include "gateway/net/connection_limits.h"
#include "gateway/net/conversation.h"
#include "gateway/net/core.h"
#include "gateway/net/resume.h"
#include "gateway/net/server.h"
#include "gateway/net/stream.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace postern::net {

class Connection final : public Session,
                         public Sink,
                         public std::enable_shared_from_this<Connection> {
public:
    Connection(Core& core, Shared& shared, const Listener& listener,
               boost::asio::ip::tcp::socket socket, std::string peer_address,
               std::unique_ptr<ConnectionLimits::Ticket> ticket);
    ~Connection() override;

    Awaitable<void> run();

    // What the coroutine may wait for.
    enum Event : unsigned {
        readable = 1,
        writable = 2,
        timer = 4,
        woken = 8,
        stopping = 16,
        aborted = 32
    };
    void raise(unsigned events);

    // --- Session ---
    const std::string& id() const override { return id_; }
    const std::string& peer_address() const override { return peer_address_; }
    void set_peer_address(std::string address) override { peer_address_ = std::move(address); }
    bool tls() const override { return stream_.tls(); }
    std::string tls_protocol() const override { return stream_.protocol(); }
    std::string tls_cipher() const override { return stream_.cipher(); }
    std::string channel_binding(std::string_view type) const override {
        return stream_.channel_binding(type);
    }
    std::shared_ptr<Waker> waker() override;
    Awaitable<void> pause(std::chrono::milliseconds duration) override;
    void log(logging::Level level, std::string_view event, logging::Fields fields) override;

    // --- Sink ---
    void append(std::string bytes) override;
    std::size_t pending() const override { return out_.size() - out_sent_; }
    Awaitable<bool> flush() override;
    bool turn_is_over() const override;
    Awaitable<bool> give_way() override;

private:
    using Clock = std::chrono::steady_clock;

    Awaitable<void> converse();
    Awaitable<bool> next_input();
    Awaitable<bool> read_proxy_header();
    bool admit_client();
    Awaitable<bool> handshake();
    Awaitable<void> linger();
    void read_some();
    void handle(unsigned events);

    Awaitable<unsigned> wait(unsigned mask);
    // Waits for the socket until `deadline`; false: too late, or aborted.
    Awaitable<bool> wait_for_socket(Io needed, Clock::time_point deadline);
    void arm_socket(Event event);
    void arm_timer(Clock::time_point at);

    Core& core_;
    Shared& shared_;
    const Listener& listener_;
    boost::asio::ip::tcp::socket socket_;
    Stream stream_;
    const std::string id_;
    std::string peer_address_;
    std::unique_ptr<ConnectionLimits::Ticket> ticket_;  // null: the PROXY header is still to come
    std::shared_ptr<Waker> waker_;

    unsigned raised_ = 0;
    unsigned awaited_ = 0;
    std::unique_ptr<Resume> waiter_;
    unsigned armed_ = 0;  // readable, writable: the reactor was asked
    boost::asio::steady_timer timer_;
    std::optional<Clock::time_point> timer_at_;

    std::unique_ptr<Conversation> conversation_;
    bool peer_closed_ = false;
    bool told_to_stop_ = false;
    unsigned reads_in_a_row_ = 0;
    Clock::time_point turn_began_;  // it waited for no client since
    std::string out_;
    std::size_t out_sent_ = 0;
};

}  // namespace postern::net

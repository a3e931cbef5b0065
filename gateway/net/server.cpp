#include "gateway/net/server.h"

#include "gateway/net/connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <optional>

namespace postern::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds accept_pause{100};  // when descriptors have run out
constexpr std::chrono::seconds abort_grace{5};
constexpr std::chrono::seconds refusal_log_interval{1};
constexpr int backlog = 4096;

Errc code_of(const error_code& failure) {
    if (failure == asio::error::address_in_use) return Errc::exists;
    if (failure == asio::error::access_denied) return Errc::permission;
    if (failure == asio::error::address_family_not_supported) return Errc::unsupported;
    return Errc::unavailable;
}

std::string numeric(const asio::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    return address.to_string();
}

void log_escaped_exception(const std::exception_ptr& exception, const char* where) {
    if (!exception) return;
    std::string text = "unknown";
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& known) {
        text = known.what();
    } catch (...) {
    }
    logging::error("internal error", {{"where", where}, {"reason", text}});
}

struct OpenListener {
    OpenListener(Listener spec, asio::io_context& context)
        : listener(std::move(spec)), acceptor(context) {}
    Listener listener;
    tcp::acceptor acceptor;
    std::chrono::steady_clock::time_point refusal_logged_at{};
    std::uint64_t refusals_unlogged = 0;
};

}  // namespace

struct Server::State {
    Shared shared;
    std::vector<std::unique_ptr<Core>> cores;
    std::list<OpenListener> listeners;       // connections refer to them
    std::atomic<std::size_t> next_core = 0;  // counted by the accept loop and by spawn()
    bool started = false;

    Core& pick_core() { return *cores[next_core++ % cores.size()]; }
    Awaitable<void> accept_all(OpenListener& open);
    void admit(OpenListener& open, Core& core, tcp::socket socket);
    void refuse(OpenListener& open, tcp::socket socket, const std::string& peer);
    void raise_everywhere(unsigned event);
    void close_listeners();
    void end_threads();
};

Server::Server(const ServerOptions& options) : state_(std::make_unique<State>()) {
    state_->shared.write_timeout = options.write_timeout;
    state_->shared.handshake_timeout = options.handshake_timeout;
    const unsigned threads =
        options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < threads; ++i) state_->cores.push_back(std::make_unique<Core>());
}

Server::~Server() {
    if (state_->started) {
        state_->shared.stopping = true;
        state_->close_listeners();
        state_->raise_everywhere(Connection::aborted);
        while (!state_->shared.wait_until_none(std::chrono::hours(1))) {
        }
    }
    state_->end_threads();
}

void Server::set_tls(std::shared_ptr<const TlsContext> context) {
    state_->shared.set_tls(std::move(context));
}

std::shared_ptr<const TlsContext> Server::tls() const {
    return state_->shared.tls();
}

std::size_t Server::sessions() const {
    return state_->shared.active();
}

Result<std::uint16_t> Server::listen(Listener listener) {
    const auto text = listener.name + " " + to_string(listener.endpoint);
    error_code failure;
    const auto address = asio::ip::make_address(listener.endpoint.address, failure);
    if (failure) return Error{Errc::invalid, text + ": " + failure.message()};
    const tcp::endpoint endpoint(address, listener.endpoint.port);

    auto& open =
        state_->listeners.emplace_back(std::move(listener), state_->cores.front()->context);
    auto& acceptor = open.acceptor;
    acceptor.open(endpoint.protocol(), failure);
    if (!failure) acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure && address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), failure);
    if (!failure) acceptor.bind(endpoint, failure);
    if (!failure) acceptor.listen(backlog, failure);
    if (failure) {
        state_->listeners.pop_back();
        return Error{code_of(failure), text + ": " + failure.message()};
    }
    return acceptor.local_endpoint().port();
}

void Server::start() {
    state_->started = true;
    auto& first = *state_->cores.front();
    for (auto& open : state_->listeners) {
        asio::co_spawn(
            first.context, state_->accept_all(open),
            [](const std::exception_ptr& escaped) { log_escaped_exception(escaped, "accept"); });
    }
    unsigned number = 0;
    for (auto& core : state_->cores) {
        core->thread = std::thread([&context = core->context] { context.run(); });
        pthread_setname_np(core->thread.native_handle(),
                           ("core-" + std::to_string(number++)).c_str());
    }
}

Awaitable<void> Server::State::accept_all(OpenListener& open) {
    while (!shared.stopping) {
        Core& core = pick_core();
        tcp::socket socket(core.context);
        error_code failure;
        co_await open.acceptor.async_accept(socket,
                                            asio::redirect_error(asio::use_awaitable, failure));
        if (failure == asio::error::operation_aborted || shared.stopping) co_return;
        if (!failure) {
            admit(open, core, std::move(socket));
        } else if (failure != asio::error::connection_aborted) {
            logging::error("accept failed",
                           {{"service", open.listener.name}, {"reason", failure.message()}});
            co_await sleep_for(accept_pause);
        }
    }
}

void Server::State::admit(OpenListener& open, Core& core, tcp::socket socket) {
    error_code failure;
    const auto remote = socket.remote_endpoint(failure);
    if (failure) return;
    auto peer = numeric(remote.address());
    // A proxy's clients are counted once it has said who they are.
    const bool proxied = open.listener.is_proxy && open.listener.is_proxy(peer);
    auto ticket = proxied ? nullptr : open.listener.limits->admit(peer);
    if (!proxied && !ticket) return refuse(open, std::move(socket), peer);
    socket.native_non_blocking(true, failure);
    socket.set_option(tcp::no_delay(true), failure);
    socket.set_option(tcp::socket::keep_alive(true), failure);

    shared.begin();
    asio::post(core.context, [this, &open, &core, socket = std::move(socket),
                              peer = std::move(peer), ticket = std::move(ticket)]() mutable {
        auto connection = std::make_shared<Connection>(
            core, shared, open.listener, std::move(socket), std::move(peer), std::move(ticket));
        shared.end();
        if (shared.stopping) connection->raise(Connection::stopping);
        asio::co_spawn(core.context, connection->run(),
                       [connection](const std::exception_ptr& escaped) {
                           log_escaped_exception(escaped, "session");
                       });
    });
}

// Best effort: the line fits into the socket's buffer, and nothing is waited for.
void Server::State::refuse(OpenListener& open, tcp::socket socket, const std::string& peer) {
    ++open.refusals_unlogged;
    const auto now = std::chrono::steady_clock::now();
    if (now - open.refusal_logged_at >= refusal_log_interval) {
        logging::warning(
            "too many connections",
            {{"service", open.listener.name}, {"peer", peer}, {"refused", open.refusals_unlogged}});
        open.refusal_logged_at = now;
        open.refusals_unlogged = 0;
    }
    error_code ignored;
    socket.native_non_blocking(true, ignored);
    if (!open.listener.implicit_tls && open.listener.refusal) {
        socket.send(asio::buffer(open.listener.refusal()), 0, ignored);
    }
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void Server::spawn(std::function<Awaitable<void>()> job) {
    Core& core = state_->pick_core();
    state_->shared.begin();
    // The function object holds the coroutine's captures, so it must stay until the coroutine
    // ended.
    auto kept = std::make_shared<std::function<Awaitable<void>()>>(std::move(job));
    asio::post(core.context, [this, &core, kept] {
        asio::co_spawn(core.context, (*kept)(), [this, kept](const std::exception_ptr& escaped) {
            log_escaped_exception(escaped, "job");
            state_->shared.end();
        });
    });
}

void Server::State::raise_everywhere(unsigned event) {
    for (auto& core : cores) {
        asio::post(core->context, [&core = *core, event] {
            std::vector<std::shared_ptr<Connection>> all;
            for (auto* connection : core.connections) all.push_back(connection->shared_from_this());
            for (auto& connection : all) connection->raise(event);
        });
    }
}

void Server::State::close_listeners() {
    asio::post(cores.front()->context, [this] {
        error_code ignored;
        for (auto& open : listeners) open.acceptor.close(ignored);
    });
}

void Server::State::end_threads() {
    for (auto& core : cores) {
        core->work.reset();
        core->context.stop();
    }
    for (auto& core : cores) {
        if (core->thread.joinable()) core->thread.join();
    }
}

bool Server::shut_down(std::chrono::milliseconds grace) {
    if (!state_->started) return true;
    state_->shared.stopping = true;
    state_->close_listeners();
    state_->raise_everywhere(Connection::stopping);
    if (!state_->shared.wait_until_none(grace)) {
        logging::warning("sessions cut off", {{"count", state_->shared.active()}});
        state_->raise_everywhere(Connection::aborted);
        if (!state_->shared.wait_until_none(abort_grace)) return false;
    }
    state_->end_threads();
    state_->started = false;
    return true;
}

}  // namespace postern::net

#include "gateway/control/control.h"
#include "gateway/log/log.h"
#include "gateway/net/awaitable.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

namespace postern::control {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;
using nlohmann::json;

namespace {
constexpr std::chrono::milliseconds full_pause{10};
}  // namespace

struct Server::State {
    asio::io_context context{1};
    stream_protocol::acceptor acceptor{context};
    std::map<std::string, Handler> handlers;
    std::size_t clients = 0;
    std::string path;
    std::thread thread;

    net::Awaitable<void> accept_all();
    net::Awaitable<void> serve(stream_protocol::socket socket);
    std::string answer(const std::string& line);
};

Server::Server() : state_(std::make_unique<State>()) {}
Server::~Server() {
    stop();
}

void Server::on(const std::string& command, Handler handler) {
    state_->handlers[command] = std::move(handler);
}

Result<void> Server::start(const std::string& path) {
    error_code failure;
    auto& acceptor = state_->acceptor;
    ::unlink(path.c_str());
    if (path.size() >= sizeof(sockaddr_un{}.sun_path)) {
        return Error{Errc::unavailable, path + ": longer than a socket's name may be"};
    }
    acceptor.open(stream_protocol(), failure);
    // Nobody may connect between bind and chmod.
    const auto mask = ::umask(0177);
    if (!failure) acceptor.bind(stream_protocol::endpoint(path), failure);
    ::umask(mask);
    if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
    if (failure) return Error{Errc::unavailable, path + ": " + failure.message()};
    state_->path = path;
    asio::co_spawn(state_->context, state_->accept_all(), asio::detached);
    state_->thread = std::thread([state = state_.get()] { state->context.run(); });
    return {};
}

void Server::stop() {
    if (!state_->thread.joinable()) return;
    state_->context.stop();
    state_->thread.join();
    ::unlink(state_->path.c_str());
}

net::Awaitable<void> Server::State::accept_all() {
    for (;;) {
        // The next one waits in the backlog, rather than being taken and dropped.
        if (clients >= max_clients) {
            co_await net::sleep_for(full_pause);
            continue;
        }
        stream_protocol::socket socket(context);
        error_code failure;
        co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, failure));
        if (failure == asio::error::operation_aborted) co_return;
        if (failure) {
            co_await net::sleep_for(full_pause);
            continue;
        }
        ++clients;
        asio::co_spawn(context, serve(std::move(socket)), asio::detached);
    }
}

net::Awaitable<void> Server::State::serve(stream_protocol::socket socket) {
    asio::steady_timer timer(context);
    std::string input;
    error_code failure;
    while (!failure) {
        timer.expires_after(client_timeout);
        timer.async_wait([&socket](const error_code& cancelled) {
            error_code ignored;
            if (!cancelled) socket.close(ignored);
        });
        const auto length = co_await asio::async_read_until(
            socket, asio::dynamic_buffer(input, max_line_bytes), '\n',
            asio::redirect_error(asio::use_awaitable, failure));
        if (failure) break;
        const auto reply = answer(input.substr(0, length - 1));
        input.erase(0, length);
        co_await asio::async_write(socket, asio::buffer(reply),
                                   asio::redirect_error(asio::use_awaitable, failure));
    }
    timer.cancel();
    // The cancelled wait refers to the socket, so it must have run before the socket goes.
    co_await net::yield_core();
    --clients;
}

std::string Server::State::answer(const std::string& line) {
    json reply = json::object();
    Result<void> outcome;
    const auto request = json::parse(line, nullptr, false);
    const auto command = request.is_object() ? request.find("command") : request.end();
    if (!request.is_object() || command == request.end() || !command->is_string()) {
        outcome = Error{Errc::invalid, "expected a JSON object with a command"};
    } else if (auto found = handlers.find(command->get<std::string>()); found == handlers.end()) {
        outcome = Error{Errc::invalid, "unknown command"};
    } else {
        outcome = found->second(request, reply);
    }
    reply["ok"] = outcome.has_value();
    if (!outcome) reply["error"] = outcome.error().text;
    return reply.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace postern::control

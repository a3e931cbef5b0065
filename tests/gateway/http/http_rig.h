// One HTTP connection without a socket: bytes in, bytes out.
#pragma once

#include "gateway/http/http.h"
#include "tests/gateway/fake_session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::http {

class HttpRig final : public net::Sink {
public:
    // Answers each request with what it understood of it.
    HttpRig()
        : factory_(make_factory([this](const Request& request) {
              requests.push_back(request);
              std::string text = request.method + " " + request.path + " " + request.host;
              for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
              return Response{200, "text/plain", text + " [" + request.body + "]"};
          })),
          conversation_(factory_(session_)) {}

    // What the server says when these bytes come in pieces of so many.
    std::string say(std::string_view bytes, std::size_t piece) {
        while (!bytes.empty() && !closed) {
            const auto part = bytes.substr(0, piece);
            bytes.remove_prefix(part.size());
            conversation_->feed(part);
            run();
        }
        return out;
    }
    void tick(Time now) {
        conversation_->tick(now);
        run();
    }
    void run() {
        net::Step step = net::Step::broken;
        boost::asio::co_spawn(io_, conversation_->run(*this),
                              [&](const std::exception_ptr& failure, net::Step reached) {
                                  if (failure) std::rethrow_exception(failure);
                                  step = reached;
                              });
        io_.restart();
        io_.run();
        closed = closed || step != net::Step::need_input;
    }
    Time deadline() const { return *conversation_->deadline(); }

    void append(std::string bytes) override { out += bytes; }
    std::size_t pending() const override { return 0; }
    net::Awaitable<bool> flush() override { co_return true; }

    std::vector<Request> requests;
    std::string out;
    bool closed = false;

private:
    boost::asio::io_context io_;
    net::FakeSession session_;
    net::ConversationFactory factory_;
    std::unique_ptr<net::Conversation> conversation_;
};

}  // namespace postern::http

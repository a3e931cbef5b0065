#include "gateway/http/http.h"
#include "protocols/wire/text.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace postern::http {

namespace beast = boost::beast::http;

namespace {

using Parser = beast::request_parser<beast::string_body>;

// What a client may have sent ahead of our answers.
constexpr std::size_t max_waiting_bytes = max_head_bytes + max_body_bytes;

std::string host_of(std::string_view field) {
    if (const auto colon = field.rfind(':');
        colon != std::string_view::npos && field.find(']', colon) == std::string_view::npos) {
        field = field.substr(0, colon);
    }
    return wire::lower_case(field);
}

unsigned status_of(const boost::system::error_code& failure) {
    if (failure == beast::error::header_limit) return 431;
    if (failure == beast::error::body_limit) return 413;
    return 400;
}

class HttpConversation final : public net::Conversation {
public:
    HttpConversation(net::Session& session, const Handler& handler)
        : session_(session), handler_(handler), deadline_(net::session_time() + request_timeout) {
        begin_request();
    }

    void start(bool) override {}
    void feed(std::string_view bytes) override { in_.append(bytes); }
    bool input_full() const override { return in_.size() >= max_waiting_bytes; }
    void tls_started() override {}
    void woken() override {}
    void tick(Time now) override { late_ = late_ || now >= deadline_; }
    std::optional<Time> deadline() const override { return deadline_; }
    void peer_closed() override { closing_ = true; }
    void shut_down() override { closing_ = true; }

    net::Awaitable<net::Step> run(net::Sink& sink) override {
        while (!closing_) {
            if (late_) {
                if (begun_) send(sink, {408, "text/plain", "too slow\n"}, false);
                co_return net::Step::close;
            }
            const bool whole = read(sink);
            if (!whole) break;
            if (sink.pending() >= net::send_high_water_bytes) {
                const bool sent = co_await sink.flush();
                if (!sent) co_return net::Step::broken;
            }
        }
        co_return closing_ ? net::Step::close : net::Step::need_input;
    }

private:
    void begin_request() {
        parser_.emplace();
        parser_->eager(true);
        parser_->header_limit(2 * max_head_bytes);  // counted below
        parser_->body_limit(max_body_bytes);
        begun_ = false;
        told_to_go_on_ = false;
    }

    // One request, answered. False: it is not whole yet, or the connection is over.
    bool read(net::Sink& sink) {
        while (!parser_->is_done() && !in_.empty()) {
            begun_ = true;
            if (!parser_->is_header_done()) {
                // The parser gets the head at once: in pieces it judges some bad ones differently.
                const auto end = in_.find("\r\n\r\n");
                const auto head = end == std::string::npos ? in_.size() : end + 4;
                if (head > max_head_bytes) {
                    send(sink, {431, "text/plain", "too many bytes before the body\n"}, false);
                    return false;
                }
                if (end == std::string::npos) return false;
            }
            boost::system::error_code failure;
            const auto used =
                parser_->put(boost::asio::buffer(in_.data(), in_.size()), failure);
            in_.erase(0, used);
            if (failure == beast::error::need_more || (!failure && used == 0)) break;
            if (failure) {
                send(sink, {status_of(failure), "text/plain", failure.message() + "\n"}, false);
                return false;
            }
        }
        if (!parser_->is_done()) {
            if (parser_->is_header_done()) tell_to_go_on(sink);
            return false;
        }
        answer(sink);
        if (!closing_) begin_request();
        deadline_ = net::session_time() + request_timeout;
        return true;
    }

    // RFC 9110 section 10.1.1.
    void tell_to_go_on(net::Sink& sink) {
        const auto expect = parser_->get()[beast::field::expect];
        if (told_to_go_on_ || expect != "100-continue") return;
        told_to_go_on_ = true;
        sink.append("HTTP/1.1 100 Continue\r\n\r\n");
    }

    void answer(net::Sink& sink) {
        auto& message = parser_->get();
        const bool keep = message.keep_alive() && ++requests_ < max_requests_a_connection;
        const std::string_view raw(message.target().data(), message.target().size());
        auto target = parse_target(raw);
        const std::string_view host(message[beast::field::host].data(),
                                    message[beast::field::host].size());
        Request request;
        request.method.assign(message.method_string().data(), message.method_string().size());
        request.host = host_of(host);
        request.tls = session_.tls();
        Response response{400, "text/plain", "not a request target\n"};
        if (target) {
            request.path = std::move(target->path);
            request.query = std::move(target->query);
            request.body = std::move(message.body());
            response = handler_(request);
        }
        session_.log(logging::Level::debug, "request",
                     {{"method", request.method},
                      {"host", request.host},
                      {"path", request.path},
                      {"status", response.status}});
        send(sink, std::move(response), keep, request.method == "HEAD");
    }

    void send(net::Sink& sink, Response response, bool keep, bool head_only = false) {
        const auto reason = beast::obsolete_reason(beast::int_to_status(response.status));
        std::string text = "HTTP/1.1 " + std::to_string(response.status) + " " +
                           std::string(reason.data(), reason.size()) + "\r\n";
        if (response.status != 204) {
            text += "Content-Type: " + response.type + "\r\nContent-Length: " +
                    std::to_string(response.body.size()) + "\r\n";
        }
        for (const auto& [name, value] : response.fields) text += name + ": " + value + "\r\n";
        text += keep ? "\r\n" : "Connection: close\r\n\r\n";
        if (!head_only && response.status != 204) text += response.body;
        sink.append(std::move(text));
        if (!keep) closing_ = true;
    }

    net::Session& session_;
    const Handler& handler_;
    std::string in_;
    std::optional<Parser> parser_;
    Time deadline_;
    unsigned requests_ = 0;
    bool begun_ = false;
    bool told_to_go_on_ = false;
    bool late_ = false;
    bool closing_ = false;
};

}  // namespace

net::ConversationFactory make_factory(Handler handler) {
    auto shared = std::make_shared<const Handler>(std::move(handler));
    return [shared](net::Session& session) -> std::unique_ptr<net::Conversation> {
        // The factory, and with it the handler, outlives every connection (net::Listener).
        return std::make_unique<HttpConversation>(session, *shared);
    };
}

}  // namespace postern::http

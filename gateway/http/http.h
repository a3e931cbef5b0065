// A small HTTP/1.1 server (RFC 9112) for what programs ask of a mail server: settings for clients,
// policies, health, metrics. Boost.Beast reads the requests; connections, TLS and limits are those
// of gateway/net.
//
// Bad input: over max_head_bytes 431, over max_body_bytes 413, else 400, and the connection is
// closed; a request that takes longer than request_timeout is answered with 408.
#pragma once

#include "gateway/net/conversation.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::http {

inline constexpr std::size_t max_head_bytes = 8 * 1024;  // request line and fields
inline constexpr std::size_t max_body_bytes = 64 * 1024;
inline constexpr unsigned max_requests_a_connection = 100;
inline constexpr std::chrono::seconds request_timeout{30};

struct Request {
    std::string method;  // "GET"
    std::string path;    // decoded: "/mail/config-v1.1.xml"; may hold any byte
    std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
    std::string host;  // of the Host field, lower case, without a port; may be empty
    std::string body;
    bool tls = false;

    // The first value; names in any case, as clients differ. Empty: no such name.
    std::string value(std::string_view name) const;
};

struct Response {
    unsigned status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields = {};
};

// On a session's core, several at once; must not wait for long.
using Handler = std::function<Response(const Request&)>;

net::ConversationFactory make_factory(Handler handler);

// Path and query of a request target; nullopt: not in origin-form, or broken percent-encoding.
struct Target {
    std::string path;
    std::vector<std::pair<std::string, std::string>> query;
};
std::optional<Target> parse_target(std::string_view target);

}  // namespace postern::http

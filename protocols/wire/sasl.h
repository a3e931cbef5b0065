// The server's side of SASL PLAIN (RFC 4616) and LOGIN (as clients speak it), for SMTP, POP3 and
// IMAP, and the frame for mechanisms that need more than a line protocol knows.
//
//   step = exchange.start(mechanism, initial response if one came with the command);
//   while step is a Challenge: send it in the protocol's own way, read a line, step =
//   exchange.step(line)
//
// Lines are without CRLF and base64, as they went over the wire. Whether the password is right is
// not decided here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::wire {

inline constexpr std::size_t max_sasl_identity_bytes = 255;  // RFC 4616 section 2
inline constexpr std::size_t max_sasl_password_bytes = 1024;

struct SaslChallenge {
    std::string base64;  // may be empty
};
struct SaslCredentials {
    std::string mechanism;         // upper case
    std::string authorization_id;  // empty: act as user
    std::string user;
    std::string password;
};
// One response in a mechanism that this class does not know itself.
struct SaslMessage {
    std::string mechanism;  // upper case
    std::string response;   // decoded
    bool first = false;
};
enum class SaslFailure : std::uint8_t {
    unsupported,  // no such mechanism
    cancelled,    // the client sent "*"
    bad_base64,
    malformed,  // base64, but not what the mechanism says, or a field over its limit
};
using SaslStep = std::variant<SaslChallenge, SaslCredentials, SaslMessage, SaslFailure>;

class SaslExchange {
public:
    SaslExchange() = default;
    // `delegated`: further mechanisms, upper case, client first (SCRAM-SHA-256, OAUTHBEARER). Their
    // responses come out as SaslMessage, and expect_more() before each further step().
    explicit SaslExchange(std::vector<std::string> delegated) : delegated_(std::move(delegated)) {}

    // What is announced, in this order.
    static constexpr std::string_view mechanisms = "PLAIN LOGIN";

    // initial_response "=" is the empty response (RFC 4954 section 4, RFC 5034 section 4, RFC
    // 4959).
    SaslStep start(std::string_view mechanism, std::optional<std::string_view> initial_response);
    SaslStep step(std::string_view line);
    void expect_more() { wants_ = Wants::delegated; }

private:
    enum class Wants : std::uint8_t {
        nothing,
        plain,
        login_user,
        login_password,
        delegated_first,
        delegated
    };

    SaslStep take(const std::string& response);
    SaslStep take_plain(std::string_view response) const;

    Wants wants_ = Wants::nothing;
    std::string user_;
    std::string mechanism_;  // a delegated one
    std::vector<std::string> delegated_;
};

}  // namespace postern::wire

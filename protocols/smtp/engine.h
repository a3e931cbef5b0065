// The SMTP server side as a sans-I/O engine (RFC 5321, with RFC 1870, 2034, 2920, 3030, 3207, 3461,
// 4954, 6152, 6531, 8689, 9422 and XCLIENT): bytes in, effects out.
//
//   feed(bytes) as they come from the peer; then loop next() until nullopt, doing each effect in
//   order. A Question effect stops the engine until answer(); input fed meanwhile is only buffered
//   (bounded).
//
// Owns no socket, clock, thread or log. Not thread-safe: one session, one thread. The outcome does
// not depend on how the input was cut (how the bytes of a body fall into BodyChunks does).
//
// Strict where mail could be smuggled: only CRLF ends a line and only CRLF.CRLF ends a message. A
// message with a bare CR or LF is read to its true end, refused with 550 5.6.11, and not asked
// about; so it is with BDAT, unless BODY=BINARYMIME was said. Liberal as peers are otherwise: 8-bit
// bodies without BODY=8BITMIME, NUL in bodies, message lines up to max_data_line_bytes, spaces
// before a path, ESMTP parameters after HELO.
//
// Replies to pipelined commands come as one Send. A Reply of 421 in an answer is followed by Close.
#pragma once

#include "protocols/base/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postern::smtp {

// With CRLF. RFC 5321 says 512, to which extensions add.
inline constexpr std::size_t max_command_line_bytes = 2048;
inline constexpr std::size_t max_auth_line_bytes = 12288;  // RFC 4954 section 4
inline constexpr std::size_t max_data_line_bytes = 64 * 1024;
inline constexpr std::size_t max_recipients = 1000;
inline constexpr unsigned max_errors = 20;       // the last of them is followed by 421 and Close
inline constexpr unsigned max_failed_auths = 5;  // likewise
// Of a message that is refused anyway, so much is swallowed to give the reply at its end; then 421.
inline constexpr std::uint64_t max_discarded_bytes = 256 * 1024 * 1024;
// A message that has been coming for Config::data_timeout or longer must have come at least so
// fast.
inline constexpr std::uint64_t min_data_bytes_per_s = 64;
inline constexpr std::size_t max_buffered_input_bytes = 128 * 1024;  // input_full() from here on
inline constexpr std::size_t body_chunk_bytes = 32 * 1024;

inline constexpr std::size_t max_envelope_id_bytes = 100;         // RFC 3461 section 4.4, as xtext
inline constexpr std::size_t max_original_recipient_bytes = 500;  // section 4.2
inline constexpr std::size_t max_xclient_value_bytes = 255;

enum class Role : std::uint8_t { mx, submission, lmtp };

struct Config {
    std::string hostname;
    Role role = Role::mx;
    std::uint64_t max_message_bytes = 50 * 1024 * 1024;
    bool tls_offered = false;           // STARTTLS can be done
    bool allow_plaintext_auth = false;  // AUTH without TLS
    bool dsn_offered = false;           // NOTIFY and friends will be honoured
    bool requiretls_offered = false;    // REQUIRETLS will be; announced under TLS alone
    bool xclient_offered = false;       // the peer may say who its client is
    std::size_t max_recipients = smtp::max_recipients;  // of a message; also what LIMITS says
    unsigned max_errors = smtp::max_errors;
    // Mechanisms besides PLAIN and LOGIN, which the answerer of ContinueAuth knows; names that end
    // in "-PLUS" are offered under TLS alone.
    std::vector<std::string> more_mechanisms;
    // How long the greeting waits; who speaks before it is turned away (RFC 5321 section 4.3.1).
    std::chrono::milliseconds greeting_delay{0};
    // For a whole command (RFC 5321 section 4.5.3.2.7).
    std::chrono::milliseconds command_timeout{300'000};
    // For a gap in a message.
    std::chrono::milliseconds data_timeout{600'000};
};

struct Reply {
    int code = 250;
    std::string enhanced;  // "2.1.5"; empty: none
    std::string text;
};

enum class Return : std::uint8_t { unsaid, full, headers };  // RFC 3461 section 4.3

struct MailParameters {
    std::optional<std::uint64_t> size;
    bool body_8bit = false;
    bool body_binary = false;  // BINARYMIME: lines may end in anything
    bool smtputf8 = false;
    bool require_tls = false;
    Return ret = Return::unsaid;
    std::string envelope_id;  // ENVID, as xtext
};

// NOTIFY (RFC 3461 section 4.1), as flags; 0: not given.
enum Notify : std::uint8_t {
    notify_never = 1,
    notify_success = 2,
    notify_failure = 4,
    notify_delay = 8
};

struct RecipientParameters {
    std::uint8_t notify = 0;
    std::string original_recipient;  // ORCPT as given: "rfc822;xtext"
};

// --- effects ---
struct Send {
    std::string bytes;
};
// After the handshake call tls_started().
struct StartTls {};
// Message bytes with the dots unstuffed: CRLF lines only (but for BINARYMIME), until one is flawed.
struct BodyChunk {
    std::string bytes;
};
// No AcceptMessage will follow for this body (of which no chunk need have come).
struct DiscardBody {};
struct Close {};
// A peer's mistake that an admin wants to see.
struct Log {
    std::string text;
};

// --- questions ---
// -> AuthAnswer. Who may act as authorization_id (empty: as user) is for the answerer to decide.
struct Authenticate {
    std::string mechanism, authorization_id, user, password;
};
// Paths are "local@domain" without brackets, "" for <>, "Postmaster" for <Postmaster>; see path.h.
// -> Reply
struct CheckSender {
    std::string reverse_path;
    MailParameters parameters;
};
// -> Reply
struct CheckRecipient {
    std::string forward_path;
    RecipientParameters parameters;
};
// One response of the client in a mechanism of Config::more_mechanisms; the first may be empty.
// -> AuthAnswer, with a challenge while the exchange goes on.
struct ContinueAuth {
    std::string mechanism;
    std::string response;
    bool first = false;
};
// XCLIENT (RFC-less; as Postfix describes it): what a trusted peer says of its own client. ->
// Reply; on a positive one the session begins anew.
struct ClaimClient {
    std::string address;  // numeric; empty: not said or not known
    std::string name;
    std::string helo;
    bool esmtp = true;
};
// The body is complete. -> Reply; LMTP: vector, one for each recipient (or one Reply for all).
struct AcceptMessage {
    std::string helo;
    std::string reverse_path;
    std::vector<std::string> recipients;
    MailParameters parameters;
    std::string authenticated_user;  // the authorization_id, else the user; empty: none
    bool esmtp = false;
    bool tls = false;
};
struct AuthAnswer {
    bool ok = false;
    Reply failure;  // 4xx for a temporary one; left alone: 535
    // To ContinueAuth:
    std::optional<std::string> challenge;  // raw; the exchange goes on
    std::string user;                      // when ok: who it is
};

using Effect = std::variant<Send, StartTls, BodyChunk, DiscardBody, Close, Log, Authenticate,
                            ContinueAuth, ClaimClient, CheckSender, CheckRecipient, AcceptMessage>;
using Answer = std::variant<Reply, std::vector<Reply>, AuthAnswer>;

class Engine {
public:
    Engine(Config config, Time now);
    ~Engine();

    // Begins the session: the greeting comes out of next(). implicit_tls: TLS is in use already.
    void start(bool implicit_tls);
    void feed(std::string_view bytes);
    bool input_full() const;  // stop reading until next() has drained it
    std::optional<Effect> next();
    void answer(Answer answer);
    void tls_started();  // drops unread plaintext and session state (RFC 3207 section 4.2)
    // Silence is counted from the tick that followed the last progress: a whole command, or any
    // byte of a message. So it is exact when tick() is called before feed(), and up to twice as
    // long when it is only called at the deadline. Time in which a question is open does not count.
    void tick(Time now);
    std::optional<Time> deadline() const;  // when tick() should be called at the latest
    // No more input will come. What was fed is still worked off; then Close, without a reply.
    void peer_closed();
    void shut_down();  // 421 at the next command boundary, then Close

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace postern::smtp

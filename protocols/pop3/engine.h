// The POP3 server side as a sans-I/O engine (RFC 1939, 2449, 2595, 3206, 5034, 6856). Use as
// smtp::Engine.
//
// The maildrop is a snapshot taken at login; deletions happen at QUIT alone, so a client that
// vanishes deletes nothing. A message is streamed: the engine asks for pieces with ReadMessage,
// stuffs dots, and makes every line end in CRLF. TOP reads no further than it sends.
//
// Owns no socket, clock, thread or log. Not thread-safe: one session, one thread. The outcome does
// not depend on how the input was cut.
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

namespace postern::pop3 {

inline constexpr std::size_t max_command_line_bytes = 255;  // with CRLF, RFC 2449 section 4
inline constexpr std::size_t max_auth_line_bytes = 12288;
inline constexpr unsigned max_errors = 20;        // the last of them is followed by -ERR and Close
inline constexpr unsigned max_failed_logins = 5;  // likewise
inline constexpr std::size_t max_buffered_input_bytes = 64 * 1024;  // input_full() from here on
inline constexpr std::size_t read_chunk_bytes = 64 * 1024;
inline constexpr std::size_t top_chunk_bytes = 8 * 1024;  // TOP mostly wants the header

struct Config {
    std::string hostname;
    bool tls_offered = false;
    bool allow_plaintext_auth = false;
    // Mechanisms besides PLAIN and LOGIN, as in smtp::Config.
    std::vector<std::string> more_mechanisms;
    // EXPIRE of CAPA: how long messages that were left on the server stay; nullopt: NEVER.
    std::optional<unsigned> expire_days;
    bool expire_varies = false;  // it is the shortest of all users'; each one's comes at login
    std::chrono::milliseconds idle_timeout{600'000};  // RFC 1939 section 3: at least 10 minutes
};

struct MaildropEntry {
    std::uint64_t size = 0;  // octets with CRLF lines
    // Printable ASCII; 1 to 70 characters (RFC 1939), more where the old server had it so.
    std::string uidl;
};

// --- effects ---
struct Send {
    std::string bytes;
};
// After the handshake call tls_started().
struct StartTls {};
struct Close {};
// A peer's mistake that an admin wants to see.
struct Log {
    std::string text;
};

// --- questions ---
// -> LoginAnswer. mechanism: "PLAIN", "LOGIN", or "USER" for USER and PASS.
struct Authenticate {
    std::string mechanism, authorization_id, user, password;
};
// -> LoginAnswer, with a challenge while the exchange goes on. As in smtp::ContinueAuth.
struct ContinueAuth {
    std::string mechanism;
    std::string response;
    bool first = false;
};
// -> MessageBytes. Never reaches over the entry's size; fewer bytes than length may come back.
struct ReadMessage {
    std::size_t index;
    std::uint64_t offset, length;
};
// -> Outcome. Asked at QUIT, if anything was deleted.
struct CommitDeletions {
    std::vector<std::size_t> indexes;
};

struct LoginAnswer {
    bool ok = false;
    std::string response_code;  // "AUTH", "IN-USE", "SYS/TEMP" ...; empty: none
    std::string text;
    std::vector<MaildropEntry> maildrop;   // index 0 is message 1
    std::optional<std::string> challenge;  // to ContinueAuth, raw
    // The user's own, where Config::expire_varies; nullopt: never.
    std::optional<unsigned> expire_days = {};
};
struct MessageBytes {
    bool ok = false;
    std::string bytes;  // empty and ok: the end
};
struct Outcome {
    bool ok = false;
    std::string text;
};

using Effect = std::variant<Send, StartTls, Close, Log, Authenticate, ContinueAuth, ReadMessage,
                            CommitDeletions>;
using Answer = std::variant<LoginAnswer, MessageBytes, Outcome>;

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
    void tls_started();  // drops unread plaintext and session state (RFC 2595 section 4)
    // Silence is counted from the tick that followed the last whole command, as in smtp::Engine.
    // The session then closes without a word and without deletions (RFC 1939 section 3).
    void tick(Time now);
    std::optional<Time> deadline() const;  // when tick() should be called at the latest
    // No more input will come. What was fed is still worked off; then Close.
    void peer_closed();
    void shut_down();  // -ERR at the next command boundary, then Close; deletes nothing

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace postern::pop3

// The SMTP and LMTP client side as a sans-I/O engine: how mail goes out to other servers.
//
//   ClientEngine engine(config, now);   // the connection is open
//   engine.send(message);               // at once, or when a former one has its Outcome
//   feed() what comes; loop next() until nullopt, doing each effect in order.
//
// For each message one Outcome comes out, whatever happens; then send() another, quit(), or let go.
// After Close the engine is of no more use. Commands are pipelined where the server can (RFC 2920);
// RCPTs come before DATA is decided upon, so that a message without recipients is never sent.
// To a server without SMTPUTF8 domains go as A-labels, and an address whose local part is not ASCII
// is refused with 553 5.6.7 without asking: that recipient's alone, or all if it is the sender's.
//
// Owns no socket, clock, thread or log. Not thread-safe.
#pragma once

#include "protocols/smtp/engine.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postern::smtp {

inline constexpr std::size_t max_client_reply_line_bytes = 4096;
inline constexpr std::size_t max_client_reply_lines = 100;
inline constexpr std::uint64_t client_read_bytes = 64 * 1024;

struct ClientConfig {
    enum class Tls : std::uint8_t {
        never,
        if_offered,  // and go on in plaintext where it is not
        always,      // else no mail goes
    };
    std::string hostname;  // for EHLO
    bool lmtp = false;
    Tls tls = Tls::if_offered;
    bool tls_from_start = false;  // the handshake is done already (submissions)
    std::string user, password;   // AUTH PLAIN; empty: none. Never without TLS
    bool plaintext_auth = false;  // ... but for tests and loopback
    // RFC 5321 section 4.5.3.2.
    std::chrono::milliseconds reply_timeout{300'000};
    std::chrono::milliseconds final_timeout{600'000};  // for the reply to a whole message
};

struct OutgoingRecipient {
    std::string address;
    RecipientParameters parameters;
};

struct OutgoingMessage {
    std::string reverse_path;
    // size: of the message, always. body_8bit: it may hold bytes over 127. smtputf8: its header
    // does. It is said for addresses that need it too.
    MailParameters parameters;
    std::vector<OutgoingRecipient> recipients;
    // Ends after the recipients: their replies say whether mail would be taken, and none goes.
    bool only_ask = false;
};

// --- effects (besides Send, StartTls, Close, Log) ---
// -> answer(bytes): message bytes [offset, offset + length), fewer at the end; nullopt: they cannot
// be read, and the connection is given up.
struct ReadBody {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};
// -> adapted(). The server lacks what the message may need; asked before MAIL.
struct AdaptMessage {
    bool seven_bit = false;     // no 8BITMIME: nothing but ASCII may be sent (RFC 6152 section 3)
    bool ascii_header = false;  // no SMTPUTF8, which its header needs (RFC 6531 section 3.2)
};
// What became of a recipient, in the server's words or in this side's own. A code of 0, never the
// server's: nothing was decided; text tells why, and another try may do.
struct ClientReply : Reply {
    bool by_server = false;
};
// One answer for each recipient of the message, in order.
struct Outcome {
    std::vector<ClientReply> replies;
    bool session_failed = false;  // before MAIL: nothing is said of this message
    bool in_doubt = false;        // all was sent, and no reply came: the server may have it
    bool dsn_passed_on = false;   // the server takes care of NOTIFY from here
    std::string greeting;         // the server's, for the log
    bool sender_refused = false;  // the replies are what MAIL got
};

using ClientEffect = std::variant<Send, StartTls, Close, Log, ReadBody, AdaptMessage, Outcome>;

// What ReadBody reads from now on has so many bytes and is as AdaptMessage asked; or it cannot be
// made so, and the reply to each recipient is this.
struct Adapted {
    std::uint64_t size = 0;
    std::optional<Reply> refusal;
};

class ClientEngine {
public:
    ClientEngine(ClientConfig config, Time now);
    ~ClientEngine();

    void send(OutgoingMessage message);
    bool idle() const;  // no message under way: send() or quit()
    void quit();

    void feed(std::string_view bytes);
    std::optional<ClientEffect> next();
    void answer(std::optional<std::string> body_bytes);
    void adapted(Adapted form);
    void tls_started();
    // The handshake did not succeed; the connection is lost.
    void tls_failed(std::string_view reason);
    void tick(Time now);
    Time deadline() const;
    void peer_closed();
    // Gives up: the Outcome, if one is due, says `reason`.
    void abandon(std::string_view reason);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace postern::smtp

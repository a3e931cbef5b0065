// The IMAP server side as a sans-I/O engine (RFC 3501): bytes in, effects out. Use as smtp::Engine.
//
// Three small machines: a framer (where does a command end, which literals are owed a
// continuation), a grammar, and MailboxView (sequence numbers and what the client was not told).
// Bodies stream both ways: APPEND literals come out as AppendChunk, FETCH literals go out as
// SendBlob.
//
// Call tick(now) before feed(): idle time counts from the last tick before input. After feed,
// answer, tick, mailbox_changed, tls_started and shut_down loop next() until nullopt.
// Not thread-safe: one session, one thread.
#pragma once

#include "protocols/base/time.h"
#include "protocols/imap/questions.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace postern::imap {

// One command with its literals, but without an APPEND's message.
inline constexpr std::size_t max_command_bytes = 64 * 1024;
inline constexpr std::size_t max_sequence_ranges = 10'000;
inline constexpr unsigned max_errors = 50;                           // BAD in a row, then BYE
inline constexpr unsigned max_login_failures = 10;                   // then BYE
inline constexpr std::size_t max_buffered_input_bytes = 128 * 1024;  // input_full() from here on
inline constexpr std::size_t max_append_messages = 1000;             // in one MULTIAPPEND
// More than any mailbox here holds: a bound, and nothing that a client has to know of.
inline constexpr std::uint32_t default_message_limit = 5'000'000;
inline constexpr std::size_t max_catenate_parts = 1000;
inline constexpr std::size_t append_chunk_bytes = 32 * 1024;
inline constexpr std::size_t fetch_page_rows = 64;            // UIDs in one FetchRows
inline constexpr std::size_t store_page_uids = 1000;          // UIDs in one StoreFlags
inline constexpr std::size_t read_chunk_bytes = 1024 * 1024;  // in one ReadBlob
// A message without a stored summary is read up to here; what lies behind is its last part's.
inline constexpr std::size_t max_summarized_bytes = 8 * 1024 * 1024;

struct Config {
    std::string hostname;
    bool tls_offered = false;
    bool allow_plaintext_auth = false;              // else LOGINDISABLED before TLS
    std::vector<std::string> more_mechanisms = {};  // as in smtp::Config
    std::uint64_t max_append_bytes = 50 * 1024 * 1024;
    // Messages that one command works on, told as MESSAGELIMIT (RFC 9738); at least 1.
    std::uint32_t message_limit = default_message_limit;
    std::chrono::milliseconds idle_timeout{1'800'000};  // RFC 3501 section 5.4: at least 30 minutes
    std::chrono::milliseconds idle_keepalive{120'000};  // a word in IDLE, so that no NAT forgets us
    std::chrono::milliseconds idle_gather{0};           // news in IDLE wait so long for company
    bool compression_offered = false;
    std::vector<std::string> withheld = {};  // capabilities neither told nor taken by ENABLE
    std::chrono::milliseconds login_timeout{60'000};  // from start() to a login that worked
};

struct Send {
    std::string bytes;
};
// Exactly `length` bytes of the blob, as they are; when that is impossible, drop the connection.
struct SendBlob {
    std::string blob;
    std::uint64_t offset, length;
};
struct AppendChunk {
    std::string bytes;
};
// The chunks so far are one whole message, and another follows in the same APPEND (RFC 3502).
struct AppendNext {
    Flags flags;
    std::optional<Time> internal_date;
};
struct DiscardAppend {};  // what came as AppendChunk will not be asked to be appended
// What is sent and received after this is deflated (RFC 4978).
struct StartCompression {
    std::string input;  // what was fed behind the command; inflate it and feed it again
};
struct StartTls {};  // after the handshake call tls_started(); input before that is dropped
struct Close {};
struct Log {  // a peer's mistake that an admin wants to see
    std::string text;
};

using Effect = std::variant<Send, SendBlob, AppendChunk, AppendNext, DiscardAppend, StartTls,
                            StartCompression, Close, Log, Question>;

class Engine {
public:
    Engine(Config config, Time now);
    ~Engine();

    void start(bool implicit_tls);
    void feed(std::string_view bytes);
    bool input_full() const;
    std::optional<Effect> next();
    void answer(Answer answer);  // to the Question that next() gave last
    void tls_started();
    // A hint: the engine asks Refresh or GetNews when the protocol lets it tell the client.
    void mailbox_changed();
    void tick(Time now);
    std::optional<Time> deadline() const;  // when tick() should be called at the latest
    void peer_closed();
    void shut_down();  // BYE at the next command boundary, then Close

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace postern::imap

// The inside of smtp::Engine: one session's state, spread over several .cpp files by subject.
#pragma once

#include "protocols/smtp/engine.h"
#include "protocols/wire/dot_stuffing.h"
#include "protocols/wire/input_buffer.h"
#include "protocols/wire/line_check.h"
#include "protocols/wire/line_reader.h"
#include "protocols/wire/sasl.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::smtp {

// Replies are held back until there is so much, or nothing more to do: one packet for one pipeline.
inline constexpr std::size_t held_reply_bytes = 16 * 1024;

struct Engine::State {
    enum class Mode : std::uint8_t { command, sasl, data, chunk };
    enum class Question : std::uint8_t { none, authenticate, client, sender, recipient, message };

    // The mail transaction (RFC 5321 section 3.3).
    struct Transaction {
        bool open = false;
        std::string reverse_path;
        MailParameters parameters;
        std::vector<std::string> recipients;
        bool chunking = false;       // a BDAT came
        bool chunk_refused = false;  // so that only RSET helps (RFC 3030 section 2)
    };
    // The chunk in hand (RFC 3030).
    struct Chunk {
        std::uint64_t size = 0;
        std::uint64_t left = 0;
        bool last = false;
        std::optional<Reply> refusal;  // for when its bytes are read
    };

    State(Config config_given, Time now_given)
        : config(std::move(config_given)), now(now_given), sasl(config.more_mechanisms) {}

    // engine.cpp: effects, input, time
    void emit(Effect effect);
    void ask(Effect question, Question kind);
    void flush();
    bool advance();
    bool advance_line();
    void input_ended();
    void drop_session();
    void progressed() { progressed_since_tick = true; }
    bool in_body() const { return mode == Mode::data || mode == Mode::chunk; }
    bool await_greeting();

    // replies.cpp
    void reply(int code, std::string_view enhanced, std::string_view text);
    void reply(const Reply& given);
    void refuse(int code, std::string_view enhanced, std::string_view text);
    void log(std::string text);
    void close();
    void close_with(int code, std::string_view enhanced, std::string_view text);
    void greet();

    // commands.cpp
    void command(std::string_view line, bool has_bare_cr);
    void hello(std::string_view verb, std::string_view name);
    void announce();
    void rset(std::string_view argument);
    void noop(std::string_view argument);
    void quit(std::string_view argument);
    void vrfy(std::string_view argument);
    void expn(std::string_view argument);
    void help(std::string_view argument);
    void start_tls(std::string_view argument);

    // xclient.cpp
    void xclient(std::string_view argument);
    void client_claimed(const Reply& verdict);

    // transaction.cpp
    void mail(std::string_view argument);
    void rcpt(std::string_view argument);
    void data(std::string_view argument);
    void sender_checked(const Reply& verdict);
    void recipient_checked(const Reply& verdict);
    void reset_transaction();
    void begin_body();

    // auth.cpp
    bool auth_works() const;
    std::string offered_mechanisms() const;
    void auth(std::string_view argument);
    void auth_line(std::string_view line);
    void auth_step(wire::SaslStep step);
    void authenticated(const AuthAnswer& answer);

    // chunking.cpp
    void bdat(std::string_view argument);
    std::optional<Reply> chunk_refusal() const;
    bool read_chunk();
    void take_chunk(std::string_view bytes);
    void chunk_ended();

    // data.cpp
    bool read_data();
    void take_data(std::string bytes, std::size_t consumed);
    void discard_body();
    void count_discarded(std::size_t bytes);
    bool data_too_slow();
    void body_ended(wire::DotUnstuffer::Flaw flaw);
    Reply refused_body(wire::DotUnstuffer::Flaw flaw);
    void message_answered(std::vector<Reply> replies);

    Config config;
    Time now;

    wire::InputBuffer input;
    wire::LineReader lines;
    std::deque<Effect> effects;
    std::string held_replies;
    Mode mode = Mode::command;
    Question question = Question::none;
    bool waiting_for_tls = false;
    bool greeted = false;
    std::optional<Time> greet_at;
    bool peer_gone = false;
    bool shutting_down = false;
    bool closed = false;

    Time last_progress = now;
    bool progressed_since_tick = false;
    unsigned errors = 0;
    unsigned failed_auths = 0;

    bool tls = false;
    bool esmtp = false;
    std::string helo;  // empty: not greeted yet
    std::string authenticated_user;
    std::string authenticating_user;
    wire::SaslExchange sasl;
    Transaction transaction;
    std::string pending_recipient;
    std::optional<ClaimClient> pending_claim;
    std::optional<ClaimClient> claim;

    wire::DotUnstuffer unstuffer{max_data_line_bytes};
    wire::LineCheck line_check{max_data_line_bytes};
    Chunk chunk;
    std::uint64_t body_bytes = 0;
    std::uint64_t discarded_bytes = 0;
    std::uint64_t data_bytes = 0;      // as they came, of this message
    std::optional<Time> data_started;  // the first tick in this message
    bool body_discarded = false;
};

}  // namespace postern::smtp

// The inside of pop3::Engine: one session's state, spread over several .cpp files by subject.
#pragma once

#include "protocols/pop3/engine.h"
#include "protocols/pop3/top_counter.h"
#include "protocols/wire/dot_stuffing.h"
#include "protocols/wire/input_buffer.h"
#include "protocols/wire/line_reader.h"
#include "protocols/wire/sasl.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::pop3 {

// Replies are held back until there is so much, or nothing more to do: one packet for one pipeline.
// As much as the network side sends at once, so that it need not put pieces together.
inline constexpr std::size_t held_reply_bytes = 64 * 1024;
inline constexpr std::size_t max_reply_line_bytes = 512;  // with CRLF, RFC 2449 section 4

struct Engine::State {
    enum class Mode : std::uint8_t { command, sasl, listing, message };
    enum class Question : std::uint8_t { none, login, read, commit };

    struct Message {
        std::uint64_t size = 0;
        std::string uidl;
        bool deleted = false;
    };
    // LIST or UIDL of the whole maildrop, on its way out.
    struct Listing {
        bool uidl = false;
        std::size_t next = 0;
    };
    // RETR or TOP, on its way out.
    struct Retrieval {
        std::size_t index = 0;
        std::uint64_t offset = 0;
        std::optional<TopCounter> top;
        bool answered = false;  // "+OK" is out
        wire::DotStuffer stuffer;
    };

    State(Config config_given, Time now_given)
        : config(std::move(config_given)), now(now_given), sasl(config.more_mechanisms) {}

    // engine.cpp: effects, input, time
    void emit(Effect effect);
    void ask(Effect asked, Question kind);
    void flush();
    bool advance();
    bool advance_line();
    void drop_session();
    void ok(std::string_view text);
    void error(std::string_view code, std::string_view text);
    void refuse(std::string_view text);
    void log(std::string text);
    void close();

    // login.cpp: the AUTHORIZATION state
    bool passwords_allowed() const { return tls || config.allow_plaintext_auth; }
    bool login_possible();
    std::string offered_mechanisms() const;
    void user(std::string_view argument);
    void pass(std::string_view argument);
    void auth(std::string_view argument);
    void auth_step(wire::SaslStep step);
    void login_answered(LoginAnswer& answer);
    void start_tls(std::string_view argument);
    void utf8(std::string_view argument);
    void lang(std::string_view argument);

    // commands.cpp
    void command(std::string_view line, bool has_bare_cr);
    void capa(std::string_view argument);
    void quit(std::string_view argument);
    void stat(std::string_view argument);
    void list(std::string_view argument);
    void uidl(std::string_view argument);
    void dele(std::string_view argument);
    void noop(std::string_view argument);
    void rset(std::string_view argument);
    void list_or_uidl(std::string_view argument, bool uidl);
    void append_listing_line(std::size_t index, bool uidl);
    void continue_listing();
    void committed(const Outcome& outcome);
    std::optional<std::size_t> find_message(std::string_view number);

    // retrieval.cpp
    void retr(std::string_view argument);
    void top(std::string_view argument);
    void start_retrieval(std::size_t index, std::optional<TopCounter> top);
    void continue_retrieval();
    void bytes_read(const MessageBytes& answer);
    void answer_retrieval();

    Config config;
    Time now;

    wire::InputBuffer input;
    wire::LineReader lines;
    std::deque<Effect> effects;
    std::string held_replies;
    Mode mode = Mode::command;
    Question question = Question::none;
    bool waiting_for_tls = false;
    bool peer_gone = false;
    bool shutting_down = false;
    bool closed = false;

    Time last_progress = now;
    bool progressed_since_tick = false;
    unsigned errors = 0;
    unsigned failed_logins = 0;

    bool tls = false;
    bool logged_in = false;
    std::string user_name;
    wire::SaslExchange sasl;

    std::vector<Message> maildrop;
    std::size_t messages_left = 0;  // not deleted
    std::uint64_t bytes_left = 0;
    Listing listing;
    Retrieval retrieval;
};

}  // namespace postern::pop3

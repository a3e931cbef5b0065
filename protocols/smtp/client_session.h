// The inside of smtp::ClientEngine.
#pragma once

#include "protocols/smtp/client.h"
#include "protocols/wire/dot_stuffing.h"
#include "protocols/wire/input_buffer.h"

#include <deque>

namespace postern::smtp {

struct ClientEngine::State {
    enum class Phase : std::uint8_t {
        greeting,
        hello,
        hello_plain,  // HELO, after EHLO was refused
        start_tls,
        handshake,
        auth,
        ready,
        adapting,  // AdaptMessage is open
        mail,
        rcpt,
        data,
        body,
        body_end,
        reset,  // RSET was said; the Outcome is out
        quit,
        closed,
    };
    // What EHLO said.
    struct Offers {
        bool pipelining = false, start_tls = false, size = false, body_8bit = false,
             smtputf8 = false, dsn = false, require_tls = false, auth_plain = false;
        std::uint64_t max_size = 0;  // 0: not said
    };

    State(ClientConfig given, Time time)
        : config(std::move(given)), now(time), waiting_since(time) {}

    // client.cpp
    void say(const std::string& line);
    void emit(ClientEffect effect) { effects.push_back(std::move(effect)); }
    bool take_reply();
    void replied(const ClientReply& reply);
    void enter(Phase next);
    void give_up(ClientReply answer);
    void give_up(std::string_view enhanced, std::string_view text) {
        give_up(ClientReply{{0, std::string(enhanced), std::string(text)}});
    }
    void close();

    // client_hello.cpp
    void greeted(const ClientReply& reply);
    void hello_replied(const ClientReply& reply);
    void take_offers(const std::string& text);
    void start_tls_replied(const Reply& reply);
    void hello();
    void after_hello();
    void authenticate();
    void auth_replied(const Reply& reply);
    void ready();

    // client_transaction.cpp
    void begin();
    std::optional<ClientReply> impossible() const;
    bool is_too_large() const;
    ClientReply too_large() const;
    bool needs_utf8() const;
    void address_envelope();
    void adapted(const Adapted& form);
    void say_mail();
    std::string mail_command() const;
    std::string rcpt_command(const OutgoingRecipient& recipient) const;
    void say_next_rcpt();
    bool ends_session(const ClientReply& reply, bool expected);
    void mail_replied(const ClientReply& reply);
    void rcpt_replied(ClientReply reply);
    void recipients_decided();
    void data_replied(const ClientReply& reply);
    void read_more();
    void body_read(const std::string& bytes);
    void body_end_replied(const ClientReply& reply);
    void finish_and_reset();
    void finish();

    ClientConfig config;
    Time now;
    Time waiting_since;
    wire::InputBuffer input;
    std::deque<ClientEffect> effects;
    Phase phase = Phase::greeting;
    Offers offers;
    bool tls = false;
    bool esmtp = true;
    bool reading = false;  // a ReadBody is open
    std::string greeting;

    Reply partial;  // lines of a reply so far
    std::size_t partial_lines = 0;

    std::optional<OutgoingMessage> message;
    std::string reverse_path;           // as this server takes it
    std::vector<ClientReply> replies;   // final ones, of the recipients; code 0: none yet
    std::vector<std::size_t> asked;     // recipients whose address the server takes
    std::size_t next_rcpt = 0;          // of `asked`, to be said
    std::size_t answered_rcpt = 0;      // of `asked`: the reply to this one comes next
    std::vector<std::size_t> accepted;  // recipients
    std::size_t body_replies = 0;       // got after the body
    std::optional<ClientReply> mail_refusal;
    bool session_failed = false;
    bool in_doubt = false;
    wire::DotStuffer stuffer;
    std::uint64_t offset = 0;
};

}  // namespace postern::smtp

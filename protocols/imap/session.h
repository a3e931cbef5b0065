// What the command groups work with: one session's state, its output, and its questions. Internal
// to protocols/imap; Engine is the door.
//
// A command is carried out by a function run(Session&, command::X). It ends with exactly one of
// ok, no, bad or fail, at once or in what it gave to ask() or later().
#pragma once

#include "protocols/imap/engine.h"
#include "protocols/imap/framer.h"
#include "protocols/imap/grammar.h"
#include "protocols/imap/mailbox_view.h"
#include "protocols/mime/summary.h"
#include "protocols/wire/sasl.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postern::imap {

class Session {
public:
    Session(Config config, Time now);

    // --- as Engine ---
    void start(bool implicit_tls);
    void feed(std::string_view bytes);
    bool input_full() const { return framer_.buffered_bytes() >= max_buffered_input_bytes; }
    std::optional<Effect> next();
    void answer(Answer answer);
    void tls_started();
    void mailbox_changed() { refresh_due_ = true; }
    void tick(Time now);
    std::optional<Time> deadline() const;
    void peer_closed();
    void shut_down() { shutting_down_ = true; }

    // --- output ---
    void send(std::string_view bytes);
    void effect(Effect effect);
    void log(std::string text) { effect(Log{std::move(text)}); }

    // --- the end of the running command ---
    // Tells first what changed in the mailbox, as far as the command allows it.
    void ok(std::string text, std::string code = "");
    // For commands that learned or lost the mailbox's state themselves.
    void ok_without_news(std::string_view text, std::string_view code = "");
    void no(std::string_view code, std::string_view text);
    void bad(std::string_view text, std::string_view code = "");
    void fail(const Failure& failure) { no(failure.code, failure.text); }
    void reject(const Rejection& rejection);
    void bye(std::string_view text);  // and the session's
    void close();                     // likewise, when BYE was said

    // --- going on later ---
    template <class Expected>
    void ask(Question question, std::function<void(Expected)> then) {
        ask_either<Expected>(std::move(question), std::move(then),
                             [this](const Failure& failure) { fail(failure); });
    }
    template <class Expected>
    void ask_either(Question question, std::function<void(Expected)> then,
                    std::function<void(const Failure&)> otherwise);
    // Called when all output so far was taken, so that a long answer is made as it is sent.
    void later(std::function<void()> resume) { resume_ = std::move(resume); }

    // --- state ---
    const Config& config() const { return config_; }
    std::string capabilities() const;
    bool may_log_in() const { return tls_ || config_.allow_plaintext_auth; }
    bool may_start_tls() const { return config_.tls_offered && !tls_; }
    bool authenticated() const { return authenticated_; }
    // The selected mailbox; empty: none.
    std::optional<MailboxView>& view() { return view_; }

    void start_tls();
    void start_idle();
    void start_sasl(const command::Authenticate& command);
    void log_in(wire::SaslCredentials credentials);

    // The summary that was read or decoded last: clients ask for one message's parts one by one.
    struct CachedSummary {
        std::string blob;
        std::shared_ptr<const mime::Summary> summary;
    };
    CachedSummary cached_summary;

private:
    enum class Mode : std::uint8_t { command, sasl, idle, append, tls, closed };
    struct Upload {
        command::Append append;
        bool has_nul = false;
    };

    bool step();  // takes one event from the input; false: there is none
    bool step_command();
    bool step_sasl();
    bool step_idle();
    bool step_append();
    void on_line_error(Framer::Event event);
    void run_command(Command command);
    void on_literal();
    void begin_append(AppendCommand append);
    void end_append(Framer::Event event);
    void refuse_literal(const Rejection& rejection);
    void take_sasl_step(wire::SaslStep step);
    void finish(std::string_view status, std::string_view code, std::string_view text);
    void refuse_login(const Failure& failure);

    Config config_;
    Time now_;
    Time started_;
    Time active_;  // last input or answer
    bool tls_ = false;
    bool authenticated_ = false;
    bool shutting_down_ = false;
    bool refresh_due_ = false;
    unsigned errors_ = 0;
    unsigned login_failures_ = 0;
    Mode mode_ = Mode::command;

    Framer framer_;
    wire::SaslExchange sasl_;
    std::optional<MailboxView> view_;
    std::optional<Upload> upload_;

    // Of the running command.
    std::string tag_ = "*";
    bool may_expunge_ = true;
    bool uid_command_ = false;

    std::deque<Effect> out_;
    std::function<void(Answer)> on_answer_;  // empty: no question is open
    std::function<void()> resume_;
};

template <class Expected>
void Session::ask_either(Question question, std::function<void(Expected)> then,
                         std::function<void(const Failure&)> otherwise) {
    effect(std::move(question));
    on_answer_ = [then = std::move(then), otherwise = std::move(otherwise)](Answer answer) {
        if (auto* expected = std::get_if<Expected>(&answer)) return then(std::move(*expected));
        const auto* failure = std::get_if<Failure>(&answer);
        otherwise(failure != nullptr ? *failure
                                     : Failure{"SERVERBUG", "The answer was of another kind"});
    };
}

void run(Session& session, command::Capability command);
void run(Session& session, command::Noop command);
void run(Session& session, command::Logout command);
void run(Session& session, command::StartTls command);
void run(Session& session, const command::Authenticate& command);
void run(Session& session, command::Login command);
void run(Session& session, command::Id command);
void run(Session& session, command::Enable command);
void run(Session& session, command::Namespace command);
void run(Session& session, command::Idle command);
void run(Session& session, command::Select command);
void run(Session& session, command::Create command);
void run(Session& session, command::Delete command);
void run(Session& session, command::Rename command);
void run(Session& session, command::Subscribe command);
void run(Session& session, command::List command);
void run(Session& session, command::Status command);
void run(Session& session, command::Close command);
void run(Session& session, command::Unselect command);
void run(Session& session, const command::Expunge& command);
void run(Session& session, command::Search command);
void run(Session& session, command::Fetch command);
void run(Session& session, command::Store command);
void run(Session& session, const command::Copy& command);

}  // namespace postern::imap

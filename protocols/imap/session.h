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
    void mailbox_changed();
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
    // As ok does.
    void no_with_news(std::string code, std::string text);
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
    // Whether so little waits to be taken that more may be made at once.
    bool joins_output() const;

    // --- state ---
    const Config& config() const { return config_; }
    const std::string& tag() const { return tag_; }
    // Tells an IMAP4rev2 client the name of the running command's mailbox as it is kept, and how it
    // gave it where that is another spelling (RFC 9051 section 6.3.9.7); tell_respelled does so
    // only then. Without `exists` it is gone.
    void tell_name(std::string_view name, bool exists);
    void tell_respelled(std::string_view name, bool exists);
    Time now() const { return now_; }
    struct Enabled {
        bool condstore = false, qresync = false, utf8 = false, rev2 = false, uid_only = false;
    };
    const Enabled& enabled() const { return enabled_; }
    void set_enabled(const Enabled& enabled);
    // A command that RFC 7162 section 3.1 counts as CONDSTORE-enabling was given.
    void enable_condstore();
    Style style() const;
    std::string mailbox_text(std::string_view name) const;
    // As MailboxView::resolve, and what "$" stands for.
    std::optional<UidSet> resolve(const SequenceSet& set, bool uid) const;
    // As SEARCH means it: a message that does not exist is none that matches.
    UidSet resolve_existing(const SequenceSet& set, bool uid) const;
    // What the last SEARCH RETURN (SAVE) found.
    UidSet& saved() { return saved_; }
    std::string capabilities() const;
    bool may_log_in() const { return tls_ || config_.allow_plaintext_auth; }
    bool may_start_tls() const { return config_.tls_offered && !tls_; }
    bool authenticated() const { return authenticated_; }
    // The selected mailbox; empty: none.
    std::optional<MailboxView>& view() { return view_; }

    // What NOTIFY set (RFC 5465).
    struct Notified {
        bool set = false;      // else it is as if there were no NOTIFY
        bool watches = false;  // other mailboxes than the selected one
        std::optional<command::Notify::Selected> selected;
        UidSet own;  // messages of the selected mailbox that this session made
    };
    Notified& notified() { return notified_; }
    // What comes soon after waits longer.
    void news_told() { last_news_ = now_; }

    // A SEARCH RETURN (UPDATE) whose result is kept up to date (RFC 5267).
    struct SearchContext {
        std::string tag;
        bool uid = false;
        SearchProgram program;
        std::vector<UidSet> positions;  // what its sequence numbers stood for, by term
        UidSet found;
        std::vector<FetchItem> items;  // told of what comes in
    };
    // Of the selected mailbox.
    std::vector<SearchContext>& contexts() { return contexts_; }

    void start_tls();
    void start_compression();
    void unauthenticated();
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
    // One APPEND or REPLACE under way (append_command.cpp).
    struct Upload {
        command::Append append;       // of the message that comes now
        std::size_t messages = 0;     // whole ones before it
        std::uint64_t bytes = 0;      // of this one, so far
        std::uint64_t all_bytes = 0;  // of all
        std::size_t parts = 0;        // of CATENATE
        Uid replaces = 0;
        bool has_nul = false;
    };

    // The text at the end of the output, when so much more fits in one piece; nullptr: none.
    std::string* joined_with(std::size_t bytes);
    bool step();  // takes one event from the input; false: there is none
    bool step_command();
    bool step_sasl();
    bool step_idle();
    bool step_append();
    void on_command_line();
    void on_line_error(Framer::Event event);
    void run_command(Command command);
    void on_literal();
    void begin_append(AppendCommand append, bool with_literal);
    void take_message_literal();
    void literal_over(Framer::Event event);
    void message_over(std::string_view rest, bool more);
    void end_append();
    void abandon_append(const Rejection& rejection, bool literal_waits);
    void next_part(std::string rest, bool first, bool literal_waits);
    void take_url(const std::string& url, std::string rest, bool literal_waits);
    void copy_url(const MessageUrl& url, const RowPage& page, const std::string& text,
                  const std::string& rest, bool literal_waits);
    void copy_range(const std::string& blob, mime::Range range, std::string rest,
                    bool literal_waits);
    void refuse_literal(const Rejection& rejection);
    void tell_progress(const Progress& progress);
    bool gather_news();
    bool tells_selected() const;
    bool news_wait() const;
    void look_for_changes(std::function<void(MailboxChanges)> then,
                          std::function<void(const Failure&)> otherwise);
    void tell_changes(MailboxChanges changes, bool may_expunge, bool with_uid,
                      std::function<void()> then);
    Dialect dialect() const {
        return {enabled_.utf8 || enabled_.rev2, enabled_.uid_only, enabled_.utf8};
    }
    void take_sasl_step(wire::SaslStep step);
    void continue_sasl(wire::SaslMessage message);
    void logged_in();
    void finish(std::string_view status, std::string_view code, std::string_view text);
    void finish_with_news(std::string status, std::string code, std::string text);
    void refuse_login(const Failure& failure);

    Config config_;
    Time now_;
    Time started_;
    Time active_;  // last input or answer
    bool tls_ = false;
    bool authenticated_ = false;
    bool shutting_down_ = false;
    bool refresh_due_ = false;  // the selected mailbox may have changed
    bool watch_due_ = false;    // likewise what NOTIFY watches
    bool compressed_ = false;
    Time news_at_;       // in IDLE and with NOTIFY: when what is due will be told
    Time last_news_;     // likewise: when something was told last
    Time keepalive_at_;  // in IDLE
    unsigned errors_ = 0;
    unsigned login_failures_ = 0;
    Mode mode_ = Mode::command;

    Framer framer_;
    wire::SaslExchange sasl_;
    std::optional<MailboxView> view_;
    std::optional<Upload> upload_;
    Enabled enabled_;
    UidSet saved_;
    Notified notified_;
    std::vector<SearchContext> contexts_;

    // Of the running command.
    std::string tag_ = "*";
    bool may_expunge_ = true;
    bool uid_command_ = false;
    std::string respelled_;  // Command::respelled

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
void run(Session& session, const command::Id& command);
void run(Session& session, const command::Enable& command);
void run(Session& session, command::Compress command);
void run(Session& session, command::Unauthenticate command);
void run(Session& session, command::Namespace command);
void run(Session& session, command::Idle command);
void run(Session& session, command::Select command);
void run(Session& session, command::Create command);
void run(Session& session, command::Delete command);
void run(Session& session, command::Rename command);
void run(Session& session, command::Subscribe command);
void run(Session& session, command::List command);
void run(Session& session, command::Status command);
void run(Session& session, const command::Notify& command);
void run(Session& session, const command::GetQuota& command);
void run(Session& session, const command::GetMetadata& command);
void run(Session& session, command::SetMetadata command);
void run(Session& session, command::GetAcl command);
void run(Session& session, command::MyRights command);
void run(Session& session, command::ListRights command);
void run(Session& session, command::SetAcl command);
void run(Session& session, command::Close command);
void run(Session& session, command::Unselect command);
void run(Session& session, const command::Expunge& command);
void run(Session& session, command::Search command);
void run(Session& session, const command::CancelUpdate& command);
void run(Session& session, command::Fetch command);
void run(Session& session, command::Store command);
void run(Session& session, const command::Copy& command);

// The untagged answer of MYRIGHTS, also of LIST RETURN (MYRIGHTS).
std::string my_rights_line(const Session& session, std::string_view name, std::string_view letters);
// Sends what GetNews has, page by page.
void tell_news(Session& session, std::function<void()> done);
// An unsolicited LIST line of NOTIFY.
std::string changed_name_line(const Session& session, const News::Name& news);
// The untagged METADATA of LIST RETURN (METADATA (...)) (RFC 9590).
std::string listed_metadata(const Session& session, const std::string& name,
                            const std::vector<std::string>& wanted, const Annotations& found);

}  // namespace postern::imap

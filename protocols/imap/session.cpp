#include "protocols/imap/session.h"

#include "protocols/imap/response.h"

#include <algorithm>
#include <cassert>

namespace postern::imap {
namespace {

constexpr std::size_t max_joined_send_bytes = 16 * 1024;

}  // namespace

Session::Session(Config config, Time now)
    : config_(std::move(config)),
      now_(now),
      started_(now),
      active_(now),
      sasl_(config_.more_mechanisms) {}

void Session::start(bool implicit_tls) {
    tls_ = implicit_tls;
    send("* OK [CAPABILITY " + capabilities() + "] " + config_.hostname + " Postern ready\r\n");
}

void Session::feed(std::string_view bytes) {
    if (mode_ == Mode::closed || mode_ == Mode::tls) return;
    active_ = now_;
    framer_.feed(bytes);
}

std::optional<Effect> Session::next() {
    for (;;) {
        if (!out_.empty()) {
            Effect first = std::move(out_.front());
            out_.pop_front();
            return first;
        }
        if (on_answer_ || mode_ == Mode::closed) return std::nullopt;
        if (resume_) {
            std::exchange(resume_, nullptr)();
        } else if (!step()) {
            return std::nullopt;
        }
    }
}

void Session::answer(Answer answer) {
    if (mode_ == Mode::closed) return;
    assert(on_answer_ && out_.empty() && "an answer to no question");
    active_ = now_;
    const auto* failure = std::get_if<Failure>(&answer);
    if (failure != nullptr && failure->mailbox_gone && view_) view_->mark_gone();
    if (const auto* progress = std::get_if<Progress>(&answer)) return tell_progress(*progress);
    std::exchange(on_answer_, nullptr)(std::move(answer));
}

// RFC 9585. Between commands there is no tag to name.
void Session::tell_progress(const Progress& progress) {
    if (tag_ != "*") {
        const auto number = [](std::uint64_t value, bool known) {
            return known ? std::to_string(value) : std::string("NIL");
        };
        // Section 4.1: what is done is less than the goal.
        const bool known = progress.done < progress.goal;
        send("* OK [INPROGRESS (" + format_string(tag_) + ' ' +
             number(progress.done, known || progress.done != 0) + ' ' +
             number(progress.goal, known) + ")] Still working\r\n");
    }
    effect(Question(GoOn{}));
}

void Session::tls_started() {
    framer_.clear();
    tls_ = true;
    mode_ = Mode::command;
    errors_ = 0;
}

void Session::tick(Time now) {
    now_ = now;
    if (on_answer_ || mode_ == Mode::closed) return;
    const Time due =
        authenticated_ ? active_ + config_.idle_timeout : started_ + config_.login_timeout;
    if (due > now) {
        if (mode_ == Mode::idle && now_ >= keepalive_at_) {
            keepalive_at_ = now_ + config_.idle_keepalive;
            send("* OK Still here\r\n");
        }
        return;
    }
    if (mode_ == Mode::tls) return close();  // amid a handshake nobody could read a BYE
    bye(authenticated_ ? "Idle for too long" : "Nobody logged in in time");
}

std::optional<Time> Session::deadline() const {
    if (on_answer_ || mode_ == Mode::closed) return std::nullopt;
    // Before login the whole time counts, so that a client cannot stay by sending single bytes.
    if (!authenticated_) return started_ + config_.login_timeout;
    Time due = active_ + config_.idle_timeout;
    if (mode_ == Mode::idle) due = std::min(due, keepalive_at_);
    if (news_wait()) due = std::min(due, news_at_);
    return due;
}

void Session::peer_closed() {
    out_.clear();
    on_answer_ = nullptr;
    if (mode_ == Mode::closed) return;
    if (mode_ == Mode::append) effect(DiscardAppend{});
    close();
}

// --- output ---

std::string* Session::joined_with(std::size_t bytes) {
    auto* last = out_.empty() ? nullptr : std::get_if<Send>(&out_.back());
    if (last == nullptr || last->bytes.size() + bytes > max_joined_send_bytes) return nullptr;
    return &last->bytes;
}

void Session::send(std::string_view bytes) {
    if (auto* last = joined_with(bytes.size())) {
        *last += bytes;
    } else if (!bytes.empty()) {
        out_.emplace_back(Send{std::string(bytes)});
    }
}

void Session::effect(Effect effect) {
    const auto* send = std::get_if<Send>(&effect);
    if (send != nullptr && send->bytes.empty()) return;
    auto* last = send == nullptr ? nullptr : joined_with(send->bytes.size());
    if (last != nullptr) {
        *last += send->bytes;
    } else {
        out_.push_back(std::move(effect));
    }
}

bool Session::joins_output() const {
    const auto* last = out_.size() == 1 ? std::get_if<Send>(&out_.back()) : nullptr;
    return last != nullptr && last->bytes.size() < max_joined_send_bytes / 2;
}

// --- what the client enabled ---

Style Session::style() const {
    return {enabled_.condstore, enabled_.qresync, enabled_.uid_only, enabled_.rev2,
            enabled_.utf8 || enabled_.rev2};
}

void Session::set_enabled(const Enabled& enabled) {
    enabled_ = enabled;
    if (view_) view_->set_style(style());
}

void Session::enable_condstore() {
    if (enabled_.condstore) return;
    Enabled enabled = enabled_;
    enabled.condstore = true;
    set_enabled(enabled);
    if (view_) send(view_->highest_modseq_line());
}

std::string Session::mailbox_text(std::string_view name) const {
    return format_mailbox(name, style().utf8);
}

void Session::tell_name(std::string_view name, bool exists) {
    if (!enabled_.rev2) return;
    std::string line = exists ? "* LIST () \"/\" " : "* LIST (\\NonExistent) \"/\" ";
    line += mailbox_text(name);
    if (!respelled_.empty()) line += " (\"OLDNAME\" (" + mailbox_text(respelled_) + "))";
    send(line + "\r\n");
}

void Session::tell_respelled(std::string_view name, bool exists) {
    if (!respelled_.empty()) tell_name(name, exists);
}

std::optional<UidSet> Session::resolve(const SequenceSet& set, bool uid) const {
    if (set.saved) return saved_ & view_->uids();
    return view_->resolve(set, uid);
}

UidSet Session::resolve_existing(const SequenceSet& set, bool uid) const {
    if (set.saved) return saved_ & view_->uids();
    if (uid) return resolve_uids(set, view_->uids());
    return resolve_existing_positions(set, view_->uids());
}

// --- the end of a command ---

void Session::finish(std::string_view status, std::string_view code, std::string_view text) {
    std::string line = std::exchange(tag_, "*");
    line.append(" ").append(status).append(" ");
    if (!code.empty()) line.append("[").append(code).append("] ");
    send(line + format_text(text) + "\r\n");
    may_expunge_ = true;
    uid_command_ = false;
}

void Session::ok_without_news(std::string_view text, std::string_view code) {
    errors_ = 0;
    finish("OK", code, text);
}

void Session::ok(std::string text, std::string code) {
    finish_with_news("OK", std::move(code), std::move(text));
}

void Session::no_with_news(std::string code, std::string text) {
    finish_with_news("NO", std::move(code), std::move(text));
}

void Session::finish_with_news(std::string status, std::string code, std::string text) {
    errors_ = 0;
    if (!view_) return finish(status, code, text);
    refresh_due_ = false;
    const auto end = [this, status = std::move(status), text = std::move(text),
                      code = std::move(code)] {
        // RFC 5530: a NOOP would tell what this command may not.
        const bool owes = code.empty() && view_->owes_expunge();
        finish(status, owes ? "EXPUNGEISSUED" : code, text);
    };
    look_for_changes(
        [this, end](MailboxChanges changes) {
            const bool with_uid = uid_command_ || notified_.selected;
            tell_changes(std::move(changes), may_expunge_, with_uid, [this, end] {
                end();
                // Told once the command is over.
                if (view_->owes_expunge() && tells_selected() && !notified_.selected->delayed) {
                    refresh_due_ = true;
                    news_at_ = now_;
                }
            });
        },
        // The command itself was done, and the next one will ask again.
        [end](const Failure&) { end(); });
}

// Twice where it fails: what a command told of mod-sequences counts for all below them, so that a
// client that leaves now would never hear of the rest.
void Session::look_for_changes(std::function<void(MailboxChanges)> then,
                               std::function<void(const Failure&)> otherwise) {
    const auto failed = [this](const Failure& failure) {
        log("cannot look for changes of the mailbox: " + failure.text);
    };
    ask_either<MailboxChanges>(
        Refresh{}, then, [this, then, otherwise, failed](const Failure& first) {
            failed(first);
            if (first.mailbox_gone) return otherwise(first);
            ask_either<MailboxChanges>(Refresh{}, then, [otherwise, failed](const Failure& second) {
                failed(second);
                otherwise(second);
            });
        });
}

void Session::no(std::string_view code, std::string_view text) {
    errors_ = 0;
    finish("NO", code, text);
}

void Session::bad(std::string_view text, std::string_view code) {
    finish("BAD", code, text);
    if (++errors_ > max_errors) bye("Too many errors");
}

void Session::reject(const Rejection& rejection) {
    if (rejection.bad) return bad(rejection.text, rejection.code);
    no(rejection.code, rejection.text);
}

void Session::bye(std::string_view text) {
    if (mode_ == Mode::append) effect(DiscardAppend{});
    send("* BYE " + std::string(text) + "\r\n");
    log("closed: " + std::string(text));
    close();
}

void Session::close() {
    effect(Close{});
    mode_ = Mode::closed;
    resume_ = nullptr;
    framer_.clear();
}

// --- input ---

bool Session::step() {
    if (shutting_down_ && mode_ != Mode::append) {
        bye("The server is shutting down");
        return true;
    }
    // RFC 2180 section 3.3: no answer to a further command would be true.
    if (view_ && view_->is_gone() && mode_ != Mode::append) {
        bye("The selected mailbox was removed by somebody else");
        return true;
    }
    switch (mode_) {
        case Mode::command:
            return step_command();
        case Mode::sasl:
            return step_sasl();
        case Mode::idle:
            return step_idle();
        case Mode::append:
            return step_append();
        case Mode::tls:
        case Mode::closed:
            break;
    }
    return false;
}

bool Session::step_command() {
    if (gather_news()) return true;
    const Framer::Event event = framer_.next(true);
    switch (event) {
        case Framer::Event::need_more:
            return false;
        case Framer::Event::command:
            on_command_line();
            break;
        case Framer::Event::literal:
            on_literal();
            break;
        case Framer::Event::too_long:
        case Framer::Event::bare_lf:
            on_line_error(event);
            break;
    }
    return true;
}

void Session::on_command_line() {
    // A CATENATE may have come whole, without any literal.
    auto append = parse_append(framer_.text(), dialect());
    const auto* what = append ? std::get_if<command::Append>(&append->what) : nullptr;
    if (what == nullptr || !what->catenate) {
        return run_command(parse_command(framer_.text(), dialect()));
    }
    tag_ = append->tag;
    begin_append(std::move(*append), false);
}

void Session::on_line_error(Framer::Event event) {
    tag_ = tag_of(framer_.text());
    if (event == Framer::Event::too_long) return bad("The command is too long", "TOOBIG");
    bad("A line must end with CR LF");
}

void Session::run_command(Command command) {
    tag_ = std::move(command.tag);
    may_expunge_ = command.may_expunge;
    uid_command_ = command.uid;
    respelled_ = std::move(command.respelled);
    if (command.needs == Phase::not_authenticated && authenticated_) {
        return bad("You are logged in already");
    }
    if (command.needs >= Phase::authenticated && !authenticated_) return bad("Log in first");
    if (command.needs == Phase::selected && !view_) return bad("Select a mailbox first");
    if (const auto* rejection = std::get_if<Rejection>(&command.what)) {
        if (rejection->forgets_saved) saved_.clear();
        return reject(*rejection);
    }
    std::visit([this](auto& what) { run(*this, std::move(what)); },
               std::get<command::Any>(command.what));
}

void Session::on_literal() {
    auto append = parse_append(framer_.text(), dialect());
    tag_ = append ? append->tag : tag_of(framer_.text());
    if (append) return begin_append(std::move(*append), true);
    const Framer::Literal literal = framer_.literal();
    if (literal.size > framer_.room()) {
        return refuse_literal({true, "TOOBIG", "The literal is too large for a command"});
    }
    framer_.take_literal();
    if (literal.synchronizing) send("+ Go on with the literal\r\n");
}

void Session::refuse_literal(const Rejection& rejection) {
    const Framer::Literal literal = framer_.literal();
    const std::uint64_t bearable = authenticated_ ? config_.max_append_bytes : max_command_bytes;
    if (literal.synchronizing) {
        framer_.drop_command();
        return reject(rejection);
    }
    framer_.skip_command();
    reject(rejection);
    // RFC 7888 section 4: the client sends it all the same; more than this is not worth taking.
    if (literal.size > bearable && mode_ != Mode::closed) bye("The literal is too large");
}

}  // namespace postern::imap

#include "protocols/imap/search_context.h"

#include "protocols/imap/response.h"
#include "protocols/imap/sync.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace postern::imap {
namespace {

using Context = Session::SearchContext;
using KeyKind = SearchKey::Kind;
using Term = SearchProgram::Term;

struct Resolver {
    const Session& session;
    const MailboxView& view;
    const SearchProgram& program;
    const std::vector<UidSet>* positions;

    void term(SearchKey& key) const {
        const auto number = static_cast<std::size_t>(std::exchange(key.number, 0));
        const Term& term = program.terms[number];
        if (term.kind == Term::Kind::recent) {
            key.uids = view.recent();
            return;
        }
        const bool uids = term.kind == Term::Kind::uids;
        if (positions != nullptr && (!uids || term.set.saved)) {
            key.uids = (*positions)[number];
            return;
        }
        key.uids = session.resolve_existing(term.set, uids);
    }

    void resolve(SearchKey& key) const {
        if (key.kind == KeyKind::uids) term(key);
        if (key.kind == KeyKind::arrived_before || key.kind == KeyKind::arrived_since) {
            key.number = to_unix_ms(session.now()) / 1000 - key.number;
        }
        for (SearchKey& child : key.children) resolve(child);
    }
};

// "* ESEARCH (TAG "a") UID ADDTO (0 5:7)". Position 0: the order is the mailbox's.
std::string update_line(const Session& session, const MailboxView& view, const Context& context,
                        const char* what, const UidSet& uids) {
    const bool as_uids = context.uid || session.enabled().uid_only;
    std::string numbers = uids.to_string();
    if (!as_uids) {
        UidSet positions;
        uids.for_each([&](Uid uid) {
            positions.add(view.sequence_of(uid));
            return true;
        });
        numbers = positions.to_string();
    }
    return "* ESEARCH (TAG " + format_string(context.tag) + ")" + (as_uids ? " UID " : " ") + what +
           " (0 " + numbers + ")\r\n";
}

// One round over all contexts.
struct UpdateRun : std::enable_shared_from_this<UpdateRun> {
    UpdateRun(Session& its_session, UidSet its_changed, std::function<void()> when_done)
        : session(its_session), changed(std::move(its_changed)), done(std::move(when_done)) {}

    void next() {
        if (at == session.contexts().size()) return done();
        Context& context = session.contexts()[at];
        SearchKey among, both;
        among.kind = KeyKind::uids;
        among.uids = changed;
        both.kind = KeyKind::and_;
        auto program = resolve_program(session, context.program, &context.positions);
        both.children = {std::move(among), std::move(program)};
        session.ask_either<SearchResult>(
            Search{std::move(both), ModSeqOf::none, false},
            [self = shared_from_this()](const SearchResult& result) { self->take(result.uids); },
            [self = shared_from_this()](const Failure& failure) { self->give_up(failure); });
    }

    void take(const UidSet& matching) {
        Context& context = session.contexts()[at++];
        const MailboxView& view = *session.view();
        const UidSet removed = (context.found & changed) - matching;
        const UidSet added = (matching & view.uids() & changed) - context.found;
        context.found -= removed;
        context.found |= added;
        if (!removed.empty()) {
            session.send(update_line(session, view, context, "REMOVEFROM", removed));
        }
        if (!added.empty()) session.send(update_line(session, view, context, "ADDTO", added));
        if (added.empty() || context.items.empty()) return go_on();
        fetch_news(session, added, context.items, [self = shared_from_this()] { self->go_on(); });
    }

    void give_up(const Failure& failure) {
        const std::string tag = session.contexts()[at].tag;
        session.contexts().erase(session.contexts().begin() + static_cast<std::ptrdiff_t>(at));
        session.send("* NO [NOUPDATE " + format_string(tag) + "] " + format_text(failure.text) +
                     "\r\n");
        go_on();
    }

    void go_on() {
        session.later([self = shared_from_this()] { self->next(); });
    }

    Session& session;
    const UidSet changed;
    std::function<void()> done;
    std::size_t at = 0;
};

}  // namespace

SearchKey resolve_program(Session& session, const SearchProgram& program,
                          const std::vector<UidSet>* positions) {
    SearchKey root = program.root;
    Resolver{session, *session.view(), program, positions}.resolve(root);
    return root;
}

void open_context(Session& session, const command::Search& command, const UidSet& found) {
    auto& contexts = session.contexts();
    std::erase_if(contexts, [&](const Context& each) { return each.tag == session.tag(); });
    if (contexts.size() == max_search_contexts) {
        return session.send("* NO [NOUPDATE " + format_string(session.tag()) +
                            "] There are too many contexts\r\n");
    }
    Context context{
        session.tag(), command.uid, command.program, {}, found, command.returns.update_items};
    for (const Term& term : context.program.terms) {
        const bool kept = term.kind == Term::Kind::positions || term.set.saved;
        context.positions.push_back(
            kept ? session.resolve_existing(term.set, term.kind == Term::Kind::uids) : UidSet());
    }
    contexts.push_back(std::move(context));
}

void tell_removed(Session& session, const UidSet& gone) {
    for (Context& context : session.contexts()) {
        const UidSet removed = context.found & gone & session.view()->uids();
        if (removed.empty()) continue;
        session.send(update_line(session, *session.view(), context, "REMOVEFROM", removed));
        context.found -= removed;
    }
}

void tell_updates(Session& session, const UidSet& changed, std::function<void()> then) {
    if (session.contexts().empty() || changed.empty()) return then();
    std::make_shared<UpdateRun>(session, changed, std::move(then))->next();
}

void run(Session& session, const command::CancelUpdate& command) {
    std::erase_if(session.contexts(), [&](const Context& each) {
        return std::find(command.tags.begin(), command.tags.end(), each.tag) != command.tags.end();
    });
    session.ok("No further updates");
}

}  // namespace postern::imap

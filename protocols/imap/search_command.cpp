#include "protocols/imap/session.h"

#include <memory>
#include <utility>
#include <vector>

namespace postern::imap {
namespace {

constexpr std::size_t numbers_at_once = 2000;

// False: a sequence number that does not exist.
bool resolve(SearchKey& key, const SearchProgram& program, const MailboxView& view) {
    if (key.kind == SearchKey::Kind::uids) {
        const SearchProgram::Term& term = program.terms[static_cast<std::size_t>(key.number)];
        key.number = 0;
        if (term.kind == SearchProgram::Term::Kind::recent) {
            key.uids = view.recent();
            return true;
        }
        auto uids = view.resolve(term.set, term.kind == SearchProgram::Term::Kind::uids);
        if (!uids) return false;
        key.uids = std::move(*uids);
    }
    for (SearchKey& child : key.children) {
        if (!resolve(child, program, view)) return false;
    }
    return true;
}

struct Found {
    std::vector<Uid> uids;
    std::size_t sent = 0;
    bool as_uids = false;
};

void send_found(Session& session, const std::shared_ptr<Found>& found) {
    std::string line = found->sent == 0 ? "* SEARCH" : "";
    const MailboxView& view = *session.view();
    for (std::size_t i = 0; i < numbers_at_once && found->sent < found->uids.size(); ++i) {
        const Uid uid = found->uids[found->sent++];
        line += ' ' + std::to_string(found->as_uids ? uid : view.sequence_of(uid));
    }
    if (found->sent < found->uids.size()) {
        session.send(line);
        return session.later([&session, found] { send_found(session, found); });
    }
    session.send(line + "\r\n");
    session.ok("SEARCH completed");
}

}  // namespace

void run(Session& session, command::Search command) {
    const SearchProgram& program = command.program;
    Search question{program.root};
    if (!resolve(question.program, program, *session.view())) {
        return session.bad("No message has that sequence number");
    }
    session.ask<SearchResult>(
        std::move(question), [&session, uid = command.uid](const SearchResult& result) {
            // What the client was not told of yet has no sequence number.
            const UidSet known = result.uids & session.view()->uids();
            send_found(session, std::make_shared<Found>(Found{known.to_vector(), 0, uid}));
        });
}

}  // namespace postern::imap

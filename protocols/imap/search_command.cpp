// SEARCH, SORT and THREAD (RFC 3501, 5256) with their extended answers (RFC 4731, 5182, 5267,
// 6203, 9394).
#include "protocols/imap/message_limit.h"
#include "protocols/imap/pages.h"
#include "protocols/imap/response.h"
#include "protocols/imap/search_context.h"
#include "protocols/imap/session.h"
#include "protocols/imap/thread_format.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace postern::imap {
namespace {

constexpr std::size_t numbers_at_once = 2000;
constexpr std::size_t usual_number_bytes = 8;

// One answer on its way, made piece by piece as it is sent.
struct Found : std::enable_shared_from_this<Found> {
    Found(Session& its_session, command::Search its_command, std::string its_limit)
        : session(its_session), command(std::move(its_command)), limit(std::move(its_limit)) {}

    const char* word() const { return command.sort.empty() ? "SEARCH" : "SORT"; }

    void take(std::vector<Uid> found, ModSeq highest, std::map<Uid, std::uint8_t> scores) {
        uids = std::move(found);
        count = std::max<std::uint64_t>(count, uids.size());
        relevancy = std::move(scores);
        modseq = command.program.tells_modseq && count != 0 ? highest : 0;
        save();
        const bool searches = command.sort.empty();
        if (command.returns.extended || (searches && session.enabled().rev2)) return extended();
        session.send(std::string("* ") + word());
        numbers(0, uids.size(), ' ', [self = shared_from_this()] {
            if (self->modseq != 0) {
                self->session.send(" (MODSEQ " + std::to_string(self->modseq) + ')');
            }
            self->end();
        });
    }

    // RFC 5182 section 2.4 and RFC 9394 section 3.1: what alone was asked for alone is kept.
    void save() const {
        const SearchReturn& returns = command.returns;
        if (!returns.save) return;
        UidSet& saved = session.saved();
        saved.clear();
        if (uids.empty()) return;
        const bool everything =
            returns.all || returns.count || returns.relevancy || !returns.shows();
        for (const Uid uid : uids) {
            if (everything) saved.add(uid);
        }
        if (everything) return;
        if (returns.min) saved.add(uids.front());
        if (returns.max) saved.add(uids.back());
        if (!returns.partial) return;
        const auto [first, last] = positions_of(*returns.partial, uids.size());
        for (std::uint64_t i = first; i <= last; ++i) saved.add(uids[i - 1]);
    }

    void extended() {
        SearchReturn& returns = command.returns;
        if (!returns.extended) returns.all = true;
        if (!returns.shows()) return end_without_line();
        std::string line = "* ESEARCH (TAG " + format_string(session.tag()) + ')';
        if (as_uids()) line += " UID";
        if (!uids.empty() && returns.min) line += " MIN " + std::to_string(number(uids.front()));
        if (!uids.empty() && returns.max) line += " MAX " + std::to_string(number(uids.back()));
        if (returns.count) line += " COUNT " + std::to_string(count);
        session.send(line);
        if (returns.partial) return partial(*returns.partial);
        if (!returns.all || uids.empty()) return after_numbers(0, uids.size());
        session.send(" ALL ");
        numbers(0, uids.size(), ',',
                [self = shared_from_this()] { self->after_numbers(0, self->uids.size()); });
    }

    // In the order of RFC 7162 section 3.1.10's examples.
    void after_numbers(std::size_t from, std::size_t to) {
        if (modseq != 0) session.send(" MODSEQ " + std::to_string(modseq));
        scores(from, to);
    }

    void partial(const PartialRange& range) {
        session.send(" PARTIAL (" + std::to_string(range.first) + ':' + std::to_string(range.last) +
                     ' ');
        const auto [first, last] = positions_of(range, count);
        if (first > last) {
            session.send("NIL)");
            return after_numbers(0, 0);
        }
        const std::size_t from = first - 1 - skipped, to = last - skipped;
        numbers(from, to, ',', [self = shared_from_this(), from, to] {
            self->session.send(")");
            self->after_numbers(from, to);
        });
    }

    // RFC 6203 section 4: of those at [from, to), in their order; then the line ends.
    void scores(std::size_t from, std::size_t to) {
        if (!command.returns.relevancy || from == to) return end();
        session.send(" RELEVANCY (");
        some_scores(from, to);
    }
    void some_scores(std::size_t from, std::size_t to) {
        const std::size_t end_of_these = std::min(to, from + numbers_at_once);
        std::string text;
        for (std::size_t i = from; i < end_of_these; ++i) {
            text += std::to_string(relevancy[uids[i]]) + (i + 1 < to ? " " : "");
        }
        session.send(text);
        if (end_of_these == to) {
            session.send(")");
            return end();
        }
        session.later(
            [self = shared_from_this(), end_of_these, to] { self->some_scores(end_of_these, to); });
    }

    // Those at [from, to), as " 1 2 3" or "1:3".
    void numbers(std::size_t from, std::size_t to, char separator, std::function<void()> then) {
        if (from == to) return then();
        const std::size_t end = std::min(to, from + numbers_at_once);
        std::vector<std::uint32_t> some;
        some.reserve(end - from);
        for (std::size_t i = from; i < end; ++i) some.push_back(number(uids[i]));
        if (separator == ',') {
            session.send(format_sequence(some) + (end < to ? "," : ""));
        } else {
            std::string text;
            text.reserve(some.size() * usual_number_bytes);
            for (const std::uint32_t each : some) {
                text += ' ';
                append_number(text, each);
            }
            session.send(text);
        }
        session.later([self = shared_from_this(), end, to, separator, then] {
            self->numbers(end, to, separator, then);
        });
    }

    bool as_uids() const { return command.uid || session.enabled().uid_only; }
    std::uint32_t number(Uid uid) const {
        return as_uids() ? uid : session.view()->sequence_of(uid);
    }
    void end() {
        session.send("\r\n");
        end_without_line();
    }
    void end_without_line() {
        ok_within_limit(session, std::string(word()) + " completed", "", limit);
    }

    Session& session;
    command::Search command;
    const std::string limit;    // response code
    std::vector<Uid> uids;      // a part of the result, where no more is wanted
    std::uint64_t count = 0;    // of the whole result
    std::uint64_t skipped = 0;  // of it, before the part
    ModSeq modseq = 0;
    std::map<Uid, std::uint8_t> relevancy;
};

void fail(Session& session, const command::Search& command, const Failure& failure) {
    if (command.returns.save) session.saved().clear();
    session.fail(failure);
}

SearchKey among(UidSet uids, SearchKey program) {
    SearchKey known, both;
    known.kind = SearchKey::Kind::uids;
    known.uids = std::move(uids);
    both.kind = SearchKey::Kind::and_;
    both.children = {std::move(known), std::move(program)};
    return both;
}

// Only messages that the client was told of.
SearchKey among_known(Session& session, SearchKey program) {
    return among(session.view()->uids(), std::move(program));
}

// Those that the program has to look at: what its sets leave of the mailbox.
UidSet searched(Session& session, const SearchKey& program) {
    UidSet out = session.view()->uids();
    const auto narrow = [&out](const SearchKey& key) {
        if (key.kind == SearchKey::Kind::uids) out &= key.uids;
    };
    narrow(program);
    if (program.kind == SearchKey::Kind::and_) {
        std::for_each(program.children.begin(), program.children.end(), narrow);
    }
    return out;
}

// The program with no more to look at than one command may. Returns the response code that tells
// so; empty: it is as it was.
std::string limit_searched(Session& session, SearchKey& program) {
    if (session.view()->count() <= session.config().message_limit) return "";
    UidSet uids = searched(session, program);
    std::string limit = cut_to_message_limit(session, uids);
    if (!limit.empty()) program = among(std::move(uids), std::move(program));
    return limit;
}

ModSeqOf modseq_of(const command::Search& command) {
    const SearchReturn& returns = command.returns;
    if (!command.program.tells_modseq) return ModSeqOf::none;
    const bool others =
        returns.all || returns.count || returns.relevancy || returns.partial.has_value();
    if (others || (!returns.min && !returns.max)) return ModSeqOf::all;
    if (returns.min && returns.max) return ModSeqOf::ends;
    return returns.min ? ModSeqOf::first : ModSeqOf::last;
}

// What PARTIAL names, where nothing else of the answer needs the rest.
std::optional<PartialRange> only_part_of(const SearchReturn& returns) {
    const bool others = returns.min || returns.max || returns.all || returns.save || returns.update;
    return others ? std::nullopt : returns.partial;
}

void thread(Session& session, const command::Search& command, SearchKey program) {
    Question question = Thread{among_known(session, std::move(program)), *command.thread};
    session.ask<Threads>(std::move(question), [&session,
                                               uid = command.uid](const Threads& threads) {
        const MailboxView& view = *session.view();
        session.send(
            "* THREAD" +
            format_threads(threads, [&](Uid each) { return uid ? each : view.sequence_of(each); }) +
            "\r\n");
        session.ok("THREAD completed");
    });
}

}  // namespace

UidSet modseq_counts_of(ModSeqOf of, const UidSet& found, Uid first, Uid last) {
    if (of == ModSeqOf::all) return found;
    UidSet out;
    if (found.empty() || of == ModSeqOf::none) return out;
    if (of != ModSeqOf::last) out.add(first);
    if (of != ModSeqOf::first) out.add(last);
    return out;
}

void run(Session& session, command::Search command) {
    SearchKey program = resolve_program(session, command.program);
    const ModSeqOf modseq = modseq_of(command);
    const bool relevancy = command.returns.relevancy;
    if (modseq != ModSeqOf::none) {
        session.enable_condstore();
        program = among_known(session, std::move(program));
    }
    const std::string limit = limit_searched(session, program);
    // An order is that of all of them (RFC 9738 section 3.3).
    if (!limit.empty() && (command.thread || !command.sort.empty())) {
        return fail(session, command, {message_limit_code(session), too_many_messages_text});
    }
    if (command.thread) return thread(session, command, std::move(program));
    const auto otherwise = [&session, command](const Failure& failure) {
        fail(session, command, failure);
    };
    // What the client was not told of yet has no sequence number.
    if (command.sort.empty()) {
        Question question = Search{std::move(program), modseq, relevancy};
        return session.ask_either<SearchResult>(
            std::move(question),
            [&session, command, limit](SearchResult result) {
                const UidSet known = result.uids & session.view()->uids();
                if (command.returns.update) open_context(session, command, known);
                std::make_shared<Found>(session, command, limit)
                    ->take(known.to_vector(), result.highest_modseq, std::move(result.relevancy));
            },
            otherwise);
    }
    Sort sort{std::move(program), command.sort, modseq, relevancy, only_part_of(command.returns)};
    // Places count what the client was told of.
    if (sort.part) sort.program = among_known(session, std::move(sort.program));
    const bool in_part = sort.part.has_value();
    session.ask_either<Sorted>(
        std::move(sort),
        [&session, command, in_part](Sorted result) {
            const UidSet& known = session.view()->uids();
            std::erase_if(result.uids, [&](Uid uid) { return !known.contains(uid); });
            const auto found = std::make_shared<Found>(session, command, "");
            if (in_part) found->count = result.count;
            found->skipped = result.skipped;
            found->take(std::move(result.uids), result.highest_modseq, std::move(result.relevancy));
        },
        otherwise);
}

}  // namespace postern::imap

#include "gateway/imap_service/search.h"

#include "gateway/imap_service/rows.h"
#include "gateway/imap_service/search_message.h"
#include "gateway/imap_service/search_program.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace postern::imap_service {

namespace {

using Kind = imap::SearchKey::Kind;

std::int64_t day_of(Time time) {
    return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

bool has_keyword(const Flags& flags, std::string_view name) {
    const auto same = [](char a, char b) {
        const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
        return lower(a) == lower(b);
    };
    return std::any_of(flags.keywords.begin(), flags.keywords.end(), [&](const auto& each) {
        return std::equal(each.begin(), each.end(), name.begin(), name.end(), same);
    });
}

class Search {
public:
    Search(mail::MailStore& store, MailboxId mailbox, const std::atomic<bool>& stopped)
        : store_(store), mailbox_(mailbox), stopped_(stopped) {}

    Result<UidSet> run(const Node& program) {
        auto state = store_.state(mailbox_);
        if (!state) return state.error();
        auto candidates = narrow(program, state->uids);
        if (!candidates || program.cost == Cost::sets) return candidates;
        return filter(program, std::move(*candidates));
    }

private:
    // Members of `among` that may match, decided by bitmaps; exactly those that do when the cost is
    // `sets`.
    Result<UidSet> narrow(const Node& node, const UidSet& among) {
        if (node.key->kind == Kind::and_) return narrow_all(node, among);
        if (node.key->kind == Kind::or_) return narrow_any(node, among);
        if (node.cost != Cost::sets) return among;
        return exact(node, among);
    }

    Result<UidSet> narrow_all(const Node& node, const UidSet& among) {
        UidSet left = among;
        for (const auto& child : node.children) {
            if (left.empty()) break;
            auto matching = narrow(child, left);
            if (!matching) return matching;
            left = std::move(*matching);
        }
        return left;
    }

    Result<UidSet> narrow_any(const Node& node, const UidSet& among) {
        UidSet found;
        for (const auto& child : node.children) {
            auto matching = narrow(child, among);
            if (!matching) return matching;
            found |= *matching;
        }
        return found;
    }

    Result<UidSet> exact(const Node& node, const UidSet& among) {
        const auto& key = *node.key;
        switch (key.kind) {
            case Kind::all:
                return among;
            case Kind::uids:
                return among & key.uids;
            case Kind::system_flag:
            case Kind::no_system_flag:
                return by_flag(store_.with_flag(mailbox_, static_cast<SystemFlag>(key.flag)), among,
                               key.kind == Kind::system_flag);
            case Kind::keyword:
            case Kind::no_keyword:
                return by_flag(store_.with_keyword(mailbox_, key.name), among,
                               key.kind == Kind::keyword);
            case Kind::not_: {
                auto matching = narrow(node.children.front(), among);
                if (!matching) return matching;
                return among - *matching;
            }
            default:
                return Error{Errc::internal, "search key has no set"};
        }
    }

    static Result<UidSet> by_flag(const Result<UidSet>& flagged, const UidSet& among, bool wanted) {
        if (!flagged) return flagged;
        return wanted ? among & *flagged : among - *flagged;
    }

    Result<UidSet> filter(const Node& program, UidSet candidates) {
        UidSet found;
        while (!candidates.empty()) {
            auto rows =
                store_.rows(mailbox_, candidates, search_page_rows, program.cost >= Cost::summary);
            if (!rows) return rows.error();
            if (rows->empty()) break;
            for (const auto& row : *rows) {
                if (stopped_) return Error{Errc::unavailable, "search was given up"};
                SearchMessage message(store_, row);
                const bool match = matches(program, message);
                // Expunged since the row was read: it does not match any more.
                const auto& failed = message.failed();
                if (failed && failed->code != Errc::not_found) return *failed;
                if (match && !failed) found.add(row.uid);
            }
            UidSet done;
            done.add_range(0, rows->back().uid);
            candidates -= done;
        }
        return found;
    }

    static bool matches(const Node& node, SearchMessage& message) {
        const auto match = [&](const Node& child) { return matches(child, message); };
        switch (node.key->kind) {
            case Kind::and_:
                return std::all_of(node.children.begin(), node.children.end(), match);
            case Kind::or_:
                return std::any_of(node.children.begin(), node.children.end(), match);
            case Kind::not_:
                return !match(node.children.front());
            default:
                return node.cost >= Cost::summary ? matches_text(node, message)
                                                  : matches_row(*node.key, message.row());
        }
    }

    static bool matches_row(const imap::SearchKey& key, const mail::MessageRow& row) {
        switch (key.kind) {
            case Kind::all:
                return true;
            case Kind::uids:
                return key.uids.contains(row.uid);
            case Kind::system_flag:
                return row.flags.has(static_cast<SystemFlag>(key.flag));
            case Kind::no_system_flag:
                return !row.flags.has(static_cast<SystemFlag>(key.flag));
            case Kind::keyword:
                return has_keyword(row.flags, key.name);
            case Kind::no_keyword:
                return !has_keyword(row.flags, key.name);
            case Kind::before:
                return day_of(row.internal_date) < key.number;
            case Kind::on:
                return day_of(row.internal_date) == key.number;
            case Kind::since:
                return day_of(row.internal_date) >= key.number;
            case Kind::larger:
                return static_cast<std::int64_t>(row.size) > key.number;
            case Kind::smaller:
                return static_cast<std::int64_t>(row.size) < key.number;
            case Kind::modseq:
                return static_cast<std::int64_t>(row.modseq) >= key.number;
            case Kind::arrived_since:
                return to_unix_ms(row.internal_date) >= key.number * 1000;
            case Kind::arrived_before:
                return to_unix_ms(row.internal_date) <= key.number * 1000;
            case Kind::saved_before:
                return day_of(row.save_date) < key.number;
            case Kind::saved_on:
                return day_of(row.save_date) == key.number;
            case Kind::saved_since:
                return day_of(row.save_date) >= key.number;
            case Kind::email_id:
            case Kind::thread_id: {
                const auto ids = to_imap(mail::MessageRow(row));
                return key.text == (key.kind == Kind::email_id ? ids.email_id : ids.thread_id);
            }
            default:
                return false;
        }
    }

    static bool matches_text(const Node& node, SearchMessage& message) {
        const auto number = node.key->number;
        switch (node.key->kind) {
            case Kind::sent_before:
                return message.sent_day().value_or(number) < number;
            case Kind::sent_on:
                return message.sent_day().value_or(number - 1) == number;
            case Kind::sent_since:
                return message.sent_day().value_or(number - 1) >= number;
            case Kind::body:
                return message.body_contains(node.needle);
            case Kind::text:
                return message.any_header_contains(node.needle) ||
                       message.body_contains(node.needle);
            default:
                return message.header_contains(node.name, node.needle);
        }
    }

    mail::MailStore& store_;
    const MailboxId mailbox_;
    const std::atomic<bool>& stopped_;
};

}  // namespace

Result<UidSet> search(mail::MailStore& store, MailboxId mailbox, const imap::SearchKey& program,
                      const std::atomic<bool>& stopped) {
    return Search(store, mailbox, stopped).run(prepare(program));
}

bool needs_rows(const imap::SearchKey& program) {
    return prepare(program).cost != Cost::sets;
}

}  // namespace postern::imap_service

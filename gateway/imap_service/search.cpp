#include "gateway/imap_service/search.h"

#include "gateway/imap_service/search_message.h"
#include "gateway/imap_service/search_narrowing.h"
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

// A body is read without it; TEXT looks at the header too, whose end the summary tells.
bool asks_summary(const Node& node) {
    if (!node.children.empty()) {
        return std::any_of(node.children.begin(), node.children.end(), asks_summary);
    }
    return node.cost == Cost::summary || node.cost == Cost::header ||
           (node.cost == Cost::body && node.key->kind == Kind::text);
}

class Search {
public:
    Search(mail::MailStore& store, mail::Viewed mailbox, const std::atomic<bool>& stopped,
           search_index::SearchIndex* index, SearchProgress* progress)
        : store_(store), mailbox_(mailbox), stopped_(stopped), index_(index), progress_(progress) {}

    Result<UidSet> run(const Node& program) {
        auto state = store_.state(mailbox_);
        if (!state) return state.error();
        auto bounds = Narrowing(store_, *state, mailbox_.viewer, index_, stopped_)
                          .narrow(program, state->uids);
        if (!bounds) return bounds.error();
        auto read = filter(program, bounds->possible - bounds->sure);
        if (read) *read |= bounds->sure;
        return read;
    }

private:
    Result<UidSet> filter(const Node& program, UidSet candidates) {
        UidSet found;
        if (progress_ != nullptr) progress_->goal = candidates.size();
        const bool with_summary = asks_summary(program);
        while (!candidates.empty()) {
            auto rows = store_.rows(mailbox_, candidates, search_page_rows, with_summary);
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
                if (progress_ != nullptr) ++progress_->read;
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
                return key.text == mail::email_object_id(row.email_id);
            case Kind::thread_id:
                return !row.thread_id.empty() && key.text == mail::thread_object_id(row.thread_id);
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
    const mail::Viewed mailbox_;
    const std::atomic<bool>& stopped_;
    search_index::SearchIndex* const index_;
    SearchProgress* const progress_;
};

}  // namespace

Result<UidSet> search(mail::MailStore& store, mail::Viewed mailbox, const imap::SearchKey& program,
                      const std::atomic<bool>& stopped, search_index::SearchIndex* index,
                      SearchProgress* progress) {
    return Search(store, mailbox, stopped, index, progress).run(prepare(program));
}

bool needs_rows(const imap::SearchKey& program) {
    return prepare(program).cost != Cost::sets;
}

}  // namespace postern::imap_service

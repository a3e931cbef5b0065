#include "store/mail/reading.h"

#include "store/kv/row_codec.h"
#include "store/mail/seen_log.h"

#include <algorithm>

namespace postern::mail {

namespace {

// Reading the rows between two wanted ones is cheaper than a new search while they are few.
constexpr Uid max_gap = 16;

Error damaged_row(const MailboxSets& sets, Uid uid) {
    return Error{Errc::corrupt, "mailbox " + std::to_string(sets.id.value) +
                                    ": damaged row of UID " + std::to_string(uid)};
}

MessageRow row_of(const MailboxSets& sets, AccountId viewer, const StoredMessage& message) {
    MessageRow row;
    row.uid = message.uid;
    row.flags = sets.flags_of(message, viewer);
    row.modseq = message.modseq;
    row.internal_date = message.internal_date;
    row.save_date = message.save_date;
    row.size = message.size;
    row.blob = message.blob;
    row.email_id = message.email_id;
    row.thread_id = message.thread_id;
    return row;
}

// Runs of wanted UIDs with small gaps, each to be read by one scan.
std::vector<UidSet::Range> runs_of(const UidSet& wanted, std::size_t limit) {
    std::vector<UidSet::Range> runs;
    std::size_t count = 0;
    wanted.for_each([&](Uid uid) {
        if (count++ == limit) return false;
        if (!runs.empty() && uid - runs.back().second <= max_gap) {
            runs.back().second = uid;
        } else {
            runs.emplace_back(uid, uid);
        }
        return true;
    });
    return runs;
}

// Visits the rows of one kind with first <= UID <= last.
template <class Visit>
Result<void> scan_rows(kv::Store& store, const MailboxSets& sets, char prefix, UidSet::Range range,
                       Visit visit) {
    std::string from = uid_key(prefix, range.first);
    if (range.first == range.second) {
        // Half the price of a scan. What is damaged is left to the scan, which knows how far.
        auto value = store.get(mailbox_shard(sets.id), from);
        if (value) return *value ? visit(range.first, **value) : Result<void>();
        if (value.error().code != Errc::corrupt) return value.error();
    }
    const std::string to = uid_key(prefix, range.second) + '\0';
    for (bool more = true; more;) {
        // A damaged row is left out: it harms its own message alone.
        auto page = store.scan_through(mailbox_shard(sets.id), from, to, kv::max_page_rows);
        if (!page) return page.error();
        for (kv::Row& row : page->rows) {
            const auto uid = uid_of_key(row.key);
            if (!uid) return damaged_row(sets, 0);
            const Result<void> visited = visit(*uid, row.value);
            if (!visited) return visited;
        }
        more = page->more;
        if (more) from = kv::last_key(*page) + '\0';
    }
    return {};
}

Result<void> add_summaries(kv::Store& store, const MailboxSets& sets,
                           const std::vector<UidSet::Range>& runs, std::vector<MessageRow>& rows) {
    auto next = rows.begin();
    for (const UidSet::Range& run : runs) {
        const auto done = scan_rows(store, sets, 's', run, [&](Uid uid, std::string& value) {
            while (next != rows.end() && next->uid < uid) ++next;
            if (next != rows.end() && next->uid == uid) next->summary = std::move(value);
            return Result<void>();
        });
        if (!done) return done;
    }
    return {};
}

Result<void> read_journal(kv::Store& store, const MailboxSets& sets, ModSeq since, UidSet& changed,
                          UidSet& vanished) {
    std::string from = journal_key(since + 1);
    const std::string to = journal_key(sets.head.highest_modseq) + '\0';
    for (bool more = true; more;) {
        const auto page = store.scan(mailbox_shard(sets.id), from, to, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            const auto entry = decode_journal_entry(row.value);
            if (!entry) return Error{Errc::corrupt, "damaged journal of a mailbox"};
            changed |= entry->changed;
            vanished |= entry->vanished;
        }
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return {};
}

// Where each account has its own \Seen, or had, a message may have changed for it alone.
Result<void> add_seen_modseqs(kv::Store& store, const MailboxSets& sets, AccountId viewer,
                              std::vector<MessageRow>& rows) {
    if (sets.seen_mode == SeenMode::common) return {};
    UidSet uids;
    for (const MessageRow& row : rows) uids.add(row.uid);
    SeenLog log(store, sets, viewer);
    const auto loaded = log.load(uids);
    if (!loaded) return loaded;
    for (MessageRow& row : rows) row.modseq = std::max(row.modseq, log.modseq_of(row.uid));
    return {};
}

}  // namespace

Status status_of(const MailboxSets& sets, AccountId viewer) {
    Status status;
    status.uid_validity = sets.head.uid_validity;
    status.uid_next = sets.head.uid_next;
    status.highest_modseq = sets.head.highest_modseq;
    status.bytes = sets.head.bytes;
    status.messages = sets.existing().size();
    const std::uint64_t seen = sets.has_own_seen(viewer)
                                   ? sets.seen_by(viewer).size()
                                   : sets.set(set_of(SystemFlag::seen)).size();
    status.unseen = status.messages - seen;
    status.own_seen = sets.seen_mode == SeenMode::own;
    status.deleted = sets.set(set_of(SystemFlag::deleted)).size();
    if (sets.head.recent_from < sets.head.uid_next) {
        status.recent = sets.existing().slice(sets.head.recent_from, sets.head.uid_next - 1).size();
    }
    return status;
}

Result<std::vector<MessageRow>> read_rows(kv::Store& store, const MailboxSets& sets,
                                          AccountId viewer, const UidSet& uids, std::size_t limit,
                                          bool with_summary) {
    const UidSet wanted = uids & sets.existing();
    const auto runs = runs_of(wanted, std::min(limit, kv::max_page_rows));
    std::vector<MessageRow> rows;
    rows.reserve(std::min<std::size_t>({wanted.size(), limit, kv::max_page_rows}));
    for (const UidSet::Range& run : runs) {
        const auto done = scan_rows(store, sets, 'm', run, [&](Uid uid, const std::string& value) {
            if (!wanted.contains(uid)) return Result<void>();
            const auto message = decode_message(uid, value);
            if (!message) return Result<void>();
            rows.push_back(row_of(sets, viewer, *message));
            return Result<void>();
        });
        if (!done) return done.error();
    }
    const auto told = add_seen_modseqs(store, sets, viewer, rows);
    if (!told) return told.error();
    if (with_summary) {
        const auto added = add_summaries(store, sets, runs, rows);
        if (!added) return added.error();
    }
    return rows;
}

Result<std::map<Uid, std::string>> read_uidls(kv::Store& store, const MailboxSets& sets) {
    std::map<Uid, std::string> uidls;
    const auto done =
        scan_rows(store, sets, 'p', {1, sets.head.uid_next}, [&](Uid uid, std::string& value) {
            if (sets.existing().contains(uid))
                uidls.emplace_hint(uidls.end(), uid, std::move(value));
            return Result<void>();
        });
    if (!done) return done.error();
    return uidls;
}

Result<Changes> read_changes(kv::Store& store, const MailboxSets& sets, AccountId viewer,
                             ModSeq since) {
    Changes changes;
    changes.state = sets.state_for_news();
    if (since >= sets.head.highest_modseq) return changes;
    UidSet changed;
    changes.complete = since >= sets.head.journal_from;
    if (changes.complete) {
        const auto read = read_journal(store, sets, since, changed, changes.vanished);
        if (!read) return read.error();
        // Trimming may have run ahead while we read; then only a full look is safe.
        const auto head = store.get(mailbox_shard(sets.id), head_key);
        if (!head) return head.error();
        const auto now = *head ? decode_head(**head) : std::nullopt;
        changes.complete = now && since >= now->journal_from;
    }
    if (!changes.complete) {
        changes.vanished.clear();
        changed = sets.existing();
    }
    SeenLog log(store, sets, viewer);
    const auto own = log.changed_since(since);
    if (!own) return own.error();
    changed |= *own;
    changed &= sets.existing();
    if (changed.empty()) return changes;
    const auto loaded = log.load(changed);
    if (!loaded) return loaded.error();
    for (const UidSet::Range& range : runs_of(changed, changed.size())) {
        const auto done =
            scan_rows(store, sets, 'm', range, [&](Uid uid, const std::string& value) {
                if (!changed.contains(uid)) return Result<void>();
                const auto message = decode_message(uid, value);
                if (!message) return Result<void>();
                const ModSeq modseq = std::max(message->modseq, log.modseq_of(uid));
                if (modseq <= since) return Result<void>();
                changes.flags.emplace_back(uid, sets.flags_of(*message, viewer));
                changes.modseqs.push_back(modseq);
                return Result<void>();
            });
        if (!done) return done.error();
    }
    return changes;
}

}  // namespace postern::mail

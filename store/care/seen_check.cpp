// Each account's own \Seen (ADR 0020): its rows, beside what the mailbox holds.
#include "store/care/mailbox_check.h"
#include "store/mail/seen_log.h"

#include <algorithm>

namespace postern::care {

namespace {

using mail::mailbox_shard;

// `visit(row, its UIDs, or nullopt)` for what can be read, and for what cannot.
template <class Visit>
Result<void> for_each_seen_row(kv::Store& store, MailboxId mailbox, char prefix, Visit visit) {
    return for_each_page(store, mailbox_shard(mailbox), std::string(1, prefix),
                         mail::after_prefix(prefix), [&](kv::Page& page) {
                             for (const std::string& key : page.damaged) visit(key, std::nullopt);
                             for (const kv::Row& row : page.rows) {
                                 std::optional<UidSet> uids = UidSet();
                                 if (!uids->deserialize(row.value)) uids.reset();
                                 visit(row.key, std::move(uids));
                             }
                             return Result<void>();
                         });
}

constexpr std::size_t seen_erased_at_once = kv::max_batch_operations / 2;

// A new head with the rows, so that whoever has a picture of the mailbox in memory reads it anew.
// False: somebody changed the mailbox meanwhile.
Result<bool> erase_rows(kv::Store& store, const NamedMailbox& mailbox, std::string raw_head,
                        const std::vector<std::string>& keys) {
    for (std::size_t at = 0; at < keys.size(); at += seen_erased_at_once) {
        auto head = mail::decode_head(raw_head);
        if (!head) return false;
        ++head->highest_modseq;
        const std::string fresh = mail::encode(*head);
        std::vector<kv::Operation> operations;
        operations.emplace_back(kv::Put{std::string(mail::head_key), fresh});
        operations.emplace_back(
            kv::Put{mail::journal_key(head->highest_modseq), mail::encode(mail::JournalEntry{})});
        const auto end = std::min(keys.size(), at + seen_erased_at_once);
        for (std::size_t i = at; i < end; ++i) operations.emplace_back(kv::Erase{keys[i]});
        const auto erased =
            commit(store, mailbox_shard(mailbox.id), {{std::string(mail::head_key), raw_head}},
                   std::move(operations));
        if (!erased || !*erased) return erased;
        raw_head = fresh;
    }
    return true;
}

}  // namespace

Result<void> tidy_seen(CheckContext& context, const NamedMailbox& mailbox,
                       const std::string& raw_head, const SeenRows& rows) {
    if (rows.empty()) return {};
    const auto users = addresses(context.store);
    if (!users) return users.error();
    std::vector<std::string> left;
    std::uint64_t accounts = 0;
    for (const auto& [account, keys] : rows) {
        if (account.value == 0 || account == mailbox.account || users->count(account) != 0) {
            continue;
        }
        ++accounts;
        left.insert(left.end(), keys.begin(), keys.end());
    }
    if (left.empty()) return {};
    const auto gone = context.options.repair ? erase_rows(context.store, mailbox, raw_head, left)
                                             : Result<bool>(false);
    if (!gone) return gone.error();
    if (!*gone) context.report.leftovers += accounts;
    return {};
}

Result<void> check_seen(CheckContext& context, const NamedMailbox& mailbox,
                        const mail::MailboxSets& sets, std::vector<std::string>& wrong,
                        SeenRows& rows) {
    rows.clear();
    if (sets.seen_mode == mail::SeenMode::common) return {};
    const auto note = [&](const std::string& key) {
        rows[mail::account_of_key(key)].push_back(key);
    };
    const auto marks = for_each_seen_row(
        context.store, mailbox.id, 'v', [&](const std::string& key, std::optional<UidSet> uids) {
            note(key);
            if (sets.seen_mode != mail::SeenMode::own) return;
            if (!uids) {
                wrong.emplace_back("somebody's own \\Seen is damaged");
            } else if (uids->max() >= sets.head.uid_next) {
                wrong.emplace_back("somebody's own \\Seen tells of messages that never were");
            }
        });
    if (!marks) return marks;
    const auto log = for_each_seen_row(
        context.store, mailbox.id, 'w', [&](const std::string& key, std::optional<UidSet> uids) {
            note(key);
            const auto modseq = mail::modseq_of_seen_log_key(key);
            if (!uids || !modseq || *modseq > sets.head.highest_modseq) {
                wrong.emplace_back("a row of the history of \\Seen is damaged");
            }
        });
    return log;
}

Result<void> mend_seen(kv::Store& store, MailboxId mailbox, const UidSet& existing,
                       const mail::Head& head, std::vector<kv::Operation>& operations) {
    UidSet doubtful;
    bool has_marks = false;
    const auto marks = for_each_seen_row(
        store, mailbox, 'v', [&](const std::string& key, std::optional<UidSet> uids) {
            has_marks = true;
            if (!uids) doubtful = existing;
            const UidSet kept = uids ? *uids & existing : UidSet();
            if (uids && kept == *uids) return;
            if (kept.empty()) {
                operations.emplace_back(kv::Erase{key});
            } else {
                operations.emplace_back(kv::Put{key, kept.serialize()});
            }
        });
    if (!marks) return marks;
    const auto log = for_each_seen_row(store, mailbox, 'w',
                                       [&](const std::string& key, std::optional<UidSet> uids) {
                                           const auto modseq = mail::modseq_of_seen_log_key(key);
                                           if (uids && modseq && *modseq < head.highest_modseq)
                                               return;
                                           operations.emplace_back(kv::Erase{key});
                                           doubtful = existing;
                                       });
    if (!log) return log;
    const auto raw = store.get(mailbox_shard(mailbox), mail::seen_mode_key);
    if (!raw && raw.error().code != Errc::corrupt) return raw.error();
    if (!raw || (*raw && !mail::decode_seen_mode(**raw))) {
        const auto mode = has_marks ? mail::SeenMode::own : mail::SeenMode::common_again;
        operations.emplace_back(kv::Put{std::string(mail::seen_mode_key), encode(mode)});
        doubtful = existing;
    }
    // Whoever has an older picture of it looks again.
    for (const std::uint16_t high : mail::ranges_of(doubtful)) {
        operations.emplace_back(kv::Put{mail::seen_log_key({}, high, head.highest_modseq),
                                        mail::part_of(doubtful, high).serialize()});
    }
    return {};
}

}  // namespace postern::care

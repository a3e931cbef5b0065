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

// Of users that are gone.
Result<void> tidy_accounts(CheckContext& context, const NamedMailbox& mailbox,
                           const mail::MailboxSets& sets,
                           const std::map<AccountId, std::vector<std::string>>& keys) {
    const auto users = addresses(context.store);
    if (!users) return users.error();
    for (const auto& [account, rows] : keys) {
        if (account.value == 0 || account == sets.head.owner || users->count(account) != 0) {
            continue;
        }
        if (!context.options.repair) {
            ++context.report.leftovers;
            continue;
        }
        for (std::size_t at = 0; at < rows.size(); at += kv::max_batch_operations) {
            std::vector<kv::Operation> erase;
            const auto end = std::min(rows.size(), at + kv::max_batch_operations);
            for (std::size_t i = at; i < end; ++i) erase.emplace_back(kv::Erase{rows[i]});
            const auto erased =
                commit(context.store, mailbox_shard(mailbox.id), {}, std::move(erase));
            if (!erased) return erased.error();
        }
    }
    return {};
}

}  // namespace

Result<void> check_seen(CheckContext& context, const NamedMailbox& mailbox,
                        const mail::MailboxSets& sets, std::vector<std::string>& wrong) {
    if (sets.seen_mode == mail::SeenMode::common) return {};
    std::map<AccountId, std::vector<std::string>> keys;
    const auto note = [&](const std::string& key) {
        keys[mail::account_of_seen_key(key)].push_back(key);
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
    if (!log) return log;
    return tidy_accounts(context, mailbox, sets, keys);
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

#include "store/mail/seen_log.h"

#include "store/kv/row_codec.h"

#include <algorithm>

namespace postern::mail {

std::vector<std::uint16_t> ranges_of(const UidSet& uids) {
    std::vector<std::uint16_t> ranges;
    for (UidSet::Value position = 1; position <= uids.size();) {
        const auto high = static_cast<std::uint16_t>(uids.at(position) >> 16);
        ranges.push_back(high);
        position = uids.count_up_to(static_cast<UidSet::Value>(high) << 16 | 0xffff) + 1;
    }
    return ranges;
}

UidSet part_of(const UidSet& uids, std::uint16_t high) {
    const UidSet::Value first = static_cast<UidSet::Value>(high) << 16;
    return uids.slice(first, first | 0xffff);
}

SeenLog::SeenLog(kv::Store& store, const MailboxSets& sets, AccountId viewer)
    : store_(store), sets_(sets) {
    if (sets.seen_mode == SeenMode::common) return;
    accounts_ = {AccountId{}, viewer.value == 0 ? sets.head.owner : viewer};
}

Result<void> SeenLog::load(const UidSet& uids) {
    if (accounts_.empty()) return {};
    for (const std::uint16_t high : ranges_of(uids)) {
        if (loaded_.count(high) != 0) continue;
        Rows& rows = loaded_[high];
        for (const AccountId account : accounts_) {
            auto some = read(account, high, 0);
            if (!some) return some.error();
            std::move(some->begin(), some->end(), std::back_inserter(rows));
        }
        std::stable_sort(rows.begin(), rows.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    }
    return {};
}

ModSeq SeenLog::modseq_of(Uid uid) const {
    const auto rows = loaded_.find(static_cast<std::uint16_t>(uid >> 16));
    if (rows == loaded_.end()) return 0;
    const auto last = std::find_if(rows->second.rbegin(), rows->second.rend(),
                                   [&](const auto& row) { return row.second.contains(uid); });
    return last == rows->second.rend() ? 0 : last->first;
}

Result<UidSet> SeenLog::changed_since(ModSeq since) const {
    UidSet changed;
    if (accounts_.empty()) return changed;
    for (const std::uint16_t high : ranges_of(sets_.existing())) {
        for (const AccountId account : accounts_) {
            const auto rows = read(account, high, since);
            if (!rows) return rows.error();
            for (const auto& [modseq, uids] : *rows) changed |= uids;
        }
    }
    return changed &= sets_.existing();
}

Result<SeenLog::Rows> SeenLog::read(AccountId account, std::uint16_t high, ModSeq since) const {
    Rows rows;
    if (since >= sets_.head.highest_modseq) return rows;
    std::string from = seen_log_key(account, high, since + 1);
    const std::string to = seen_log_key(account, high, sets_.head.highest_modseq) + '\0';
    for (bool more = true; more;) {
        const auto page = store_.scan(mailbox_shard(sets_.id), from, to, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            const auto modseq = modseq_of_seen_log_key(row.key);
            UidSet uids;
            if (!modseq || !uids.deserialize(row.value)) {
                return Error{Errc::corrupt, "damaged history of \\Seen in a mailbox"};
            }
            rows.emplace_back(*modseq, std::move(uids));
        }
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return rows;
}

}  // namespace postern::mail

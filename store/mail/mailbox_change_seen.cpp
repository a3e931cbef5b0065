// Each account's own \Seen in a change (ADR 0020).
#include "store/mail/mailbox_change.h"
#include "store/mail/seen_log.h"

#include <algorithm>

namespace postern::mail {

namespace {

bool has_place(const MailboxSets& sets, AccountId account) {
    const auto& marks = sets.seen_marks;
    const std::size_t accounts = marks.size() - marks.count(AccountId{});
    return account.value == 0 || marks.count(account) != 0 ||
           accounts < max_seen_accounts_per_mailbox;
}

}  // namespace

Result<void> MailboxChange::may_mark(AccountId account) const {
    if (has_place(after_, account) || spare_place().value != 0) return {};
    return Error{Errc::limit, "too many people have their own \\Seen in this mailbox"};
}

AccountId MailboxChange::spare_place() const {
    for (const auto& [account, marks] : after_.seen_marks) {
        // Its rows have to fit into this batch.
        if (account.value != 0 && (*marks & after_.existing()).empty() &&
            ranges_of(*marks).size() <= max_seen_ranges) {
            return account;
        }
    }
    return {};
}

void MailboxChange::take_place_of(AccountId spare) {
    for (const std::uint16_t high : ranges_of(after_.marks_of(spare))) {
        erase(seen_marks_key(spare, high));
    }
    after_.seen_marks.erase(spare);
    own_marks_.erase(spare);
}

UidSet& MailboxChange::own_marks_of(AccountId account) {
    std::shared_ptr<UidSet>& own = own_marks_[account];
    if (own) return *own;
    if (!has_place(after_, account)) {
        if (const AccountId spare = spare_place(); spare.value != 0) take_place_of(spare);
    }
    own = std::make_shared<UidSet>(after_.marks_of(account));
    after_.seen_marks[account] = own;
    return *own;
}

void MailboxChange::set_mark(AccountId account, Uid uid, bool marked) {
    UidSet& own = own_marks_of(account);
    if (marked) {
        own.add(uid);
    } else {
        own.remove(uid);
    }
    seen_parts_[{account, static_cast<std::uint16_t>(uid >> 16)}] = true;
    changed_ = modseq_used_ = true;
}

void MailboxChange::log_seen(AccountId account, const UidSet& uids) {
    seen_log_[account] |= uids;
    for (const std::uint16_t high : ranges_of(uids))
        seen_parts_.try_emplace({account, high}, false);
    changed_ = modseq_used_ = true;
}

bool MailboxChange::is_logged(AccountId account, Uid uid) const {
    const auto found = seen_log_.find(account);
    return found != seen_log_.end() && found->second.contains(uid);
}

Result<void> MailboxChange::begin_own_seen() {
    const UidSet& seen = after_.set(set_of(SystemFlag::seen));
    const auto ranges = ranges_of(seen);
    if (ranges.size() > max_seen_ranges) {
        return Error{Errc::limit, "the mailbox has too many messages for that"};
    }
    after_.seen_mode = SeenMode::own;
    after_.seen_marks = {{AccountId{}, std::make_shared<const UidSet>(seen)}};
    for (const std::uint16_t high : ranges) seen_parts_[{AccountId{}, high}] = true;
    put(std::string(seen_mode_key), encode(after_.seen_mode));
    modseq_used_ = true;
    return {};
}

Result<void> MailboxChange::end_own_seen() {
    const UidSet& seen = after_.set(set_of(SystemFlag::seen));
    const UidSet& first = after_.marks_of({});
    UidSet differing = (seen - first) | (first - seen);
    for (const auto& [account, marks] : after_.seen_marks) {
        if (account.value != 0) differing |= *marks;
    }
    differing &= after_.existing();
    if (ranges_of(differing).size() > max_seen_ranges) {
        return Error{Errc::limit, "the mailbox has too many messages for that"};
    }
    log_seen({}, differing);
    after_.seen_mode = SeenMode::common_again;
    after_.seen_marks.clear();
    put(std::string(seen_mode_key), encode(after_.seen_mode));
    return {};
}

void MailboxChange::end_marks(AccountId account, std::uint16_t high) {
    const UidSet marks = part_of(after_.marks_of(account), high);
    log_seen(account, marks & after_.existing());
    own_marks_of(account) -= marks;
    seen_parts_[{account, high}] = true;
}

void MailboxChange::forget_marks(AccountId account) {
    after_.seen_marks.erase(account);
    own_marks_.erase(account);
    changed_ = modseq_used_ = true;
}

Result<void> MailboxChange::put_seen() {
    for (const auto& [part, with_marks] : seen_parts_) {
        const auto& [account, high] = part;
        if (with_marks) {
            // Messages that are gone leave their marks behind; here they go.
            const UidSet marks = part_of(after_.marks_of(account), high) & after_.existing();
            const std::string key = seen_marks_key(account, high);
            marks.empty() ? erase(key) : put(key, marks.serialize());
        }
        const auto logged = seen_log_.find(account);
        if (logged == seen_log_.end()) continue;
        const UidSet uids = part_of(logged->second, high);
        if (uids.empty()) continue;
        const auto joined = join_oldest_log(account, high);
        if (!joined) return joined;
        put(seen_log_key(account, high, modseq()), uids.serialize());
    }
    for (const auto& [account, marks] : own_marks_) {
        if (marks->empty()) after_.seen_marks.erase(account);
    }
    return {};
}

Result<void> MailboxChange::join_oldest_log(AccountId account, std::uint16_t high) {
    const auto page =
        store_.scan(mailbox_shard(before_->id), seen_log_key(account, high, 0),
                    seen_log_key(account, high, after_.head.highest_modseq), max_seen_log_rows);
    if (!page) return page.error();
    if (page->rows.size() < max_seen_log_rows) return {};
    UidSet both;
    for (const std::size_t i : {0u, 1u}) {
        UidSet uids;
        if (!uids.deserialize(page->rows[i].value)) {
            return Error{Errc::corrupt, "damaged history of \\Seen in a mailbox"};
        }
        both |= uids;
    }
    both &= after_.existing();
    erase(page->rows[0].key);
    both.empty() ? erase(page->rows[1].key) : put(page->rows[1].key, both.serialize());
    return {};
}

}  // namespace postern::mail

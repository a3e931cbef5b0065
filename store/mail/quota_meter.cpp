#include "store/mail/quota_meter.h"

#include "store/mail/mailbox_names.h"
#include "store/mail/mailbox_sets.h"
#include "store/mail/transfer.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace postern::mail {

namespace {

// Changes by other processes are seen this late at most; a large pool's reading is spread further.
constexpr std::chrono::seconds reread_after{60};
constexpr int reread_factor = 100;
constexpr int level_slack_percent = 5;
constexpr ModSeq removed = std::numeric_limits<ModSeq>::max();

std::uint64_t limit_for(const PoolLimits& limits, QuotaRule rule) {
    if (rule == QuotaRule::none) return 0;
    if (rule == QuotaRule::incoming || limits.soft_bytes == 0) return limits.hard_bytes;
    return limits.soft_bytes;
}

std::string rounded(std::uint64_t bytes) {
    constexpr std::uint64_t kib = 1024;
    constexpr std::uint64_t mib = 1024 * kib;
    if (bytes < 10 * mib) return std::to_string((bytes + kib / 2) / kib) + " KiB";
    return std::to_string((bytes + mib / 2) / mib) + " MiB";
}

Result<void> check_messages(const std::string& what, std::uint64_t limit, std::uint64_t used,
                            std::uint64_t messages) {
    if (limit == 0 || used + messages <= limit) return {};
    return Error{Errc::over_quota, what + " is full: " + std::to_string(used) + " of " +
                                       std::to_string(limit) + " messages"};
}

Result<void> check(const std::string& what, const PoolLimits& limits, const QuotaUse& all,
                   const QuotaUse& room, QuotaRule rule) {
    const auto fits = check_messages(what, limits.messages, all.messages, room.messages);
    if (!fits) return fits;
    const std::uint64_t limit = limit_for(limits, rule);
    if (limit == 0) return {};
    const std::uint64_t used = all.bytes;
    const std::uint64_t bytes = room.bytes;
    if (bytes > limit) {
        return Error{Errc::too_large,
                     what + " has a limit of " + rounded(limit) + ", less than this message"};
    }
    // Full also refuses an unknown size, given as 0.
    if (used + bytes > limit || (bytes == 0 && used >= limit)) {
        return Error{Errc::over_quota,
                     what + " is full: " + rounded(used) + " of " + rounded(limit) + " used"};
    }
    return {};
}

bool reaches(std::uint64_t used, std::uint64_t limit, int percent) {
    const auto share = static_cast<std::uint64_t>(percent);
    // In this order, so that neither a small limit is rounded to none nor a large one overflows.
    return limit != 0 && used >= limit / 100 * share + (limit % 100 * share + 99) / 100;
}

bool reaches(const QuotaRoot& root, int percent) {
    return reaches(root.used_bytes, root.soft_bytes, percent) ||
           reaches(root.used_messages, root.max_messages, percent);
}

int level_of(const QuotaRoot& root) {
    int level = 0;
    for (const int percent : quota_warning_levels) {
        if (reaches(root, percent)) level = percent;
    }
    return level;
}

QuotaRoot root_of(std::string name, const QuotaUse& use, const PoolLimits& limits) {
    return {std::move(name),   use.bytes,    limits.soft_bytes,
            limits.hard_bytes, use.messages, limits.messages};
}

}  // namespace

void QuotaMeter::note_locked(MailboxId mailbox, const Box& box) {
    const auto account = accounts_.find(box.owner);
    if (account == accounts_.end()) return;
    const auto [entry, fresh] = boxes_.try_emplace(mailbox, Box{box.owner, 0, {}});
    if (fresh) account->second.boxes.push_back(mailbox);
    if (!fresh && entry->second.modseq >= box.modseq) return;
    QuotaUse change = box.holds;  // modulo 2^64, so it may well shrink
    change -= entry->second.holds;
    entry->second = box;
    account->second.all += change;
    const auto pool = pool_uses_.find(account->second.pool);
    if (pool != pool_uses_.end()) pool->second.all += change;
}

void QuotaMeter::note(MailboxId mailbox, AccountId owner, ModSeq modseq, QuotaUse holds) {
    std::lock_guard lock(mutex_);
    note_locked(mailbox, {owner, modseq, holds});
}

void QuotaMeter::forget(MailboxId mailbox) {
    std::lock_guard lock(mutex_);
    const auto box = boxes_.find(mailbox);
    if (box != boxes_.end()) note_locked(mailbox, {box->second.owner, removed, {}});
}

void QuotaMeter::drop_account(AccountId account) {
    const auto use = accounts_.find(account);
    if (use == accounts_.end()) return;
    const auto pool = pool_uses_.find(use->second.pool);
    if (pool != pool_uses_.end()) pool->second.all -= use->second.all;
    for (MailboxId box : use->second.boxes) boxes_.erase(box);
    accounts_.erase(use);
}

void QuotaMeter::drop_pool(std::uint64_t pool) {
    const auto use = pool_uses_.find(pool);
    if (use == pool_uses_.end()) return;
    const std::vector<AccountId> accounts = std::move(use->second.accounts);
    pool_uses_.erase(use);
    for (AccountId account : accounts) drop_account(account);
}

// Commits during the reading are noted too; the newest modseq of a mailbox wins.
Result<void> QuotaMeter::load_account(AccountId account, std::uint64_t pool) {
    {
        std::lock_guard lock(mutex_);
        drop_account(account);
        accounts_[account].pool = pool;
    }
    const auto names = read_names(store_, account);
    if (!names) return names.error();
    for (const auto& [name, row] : names->names) {
        if (row.id.value == 0) continue;
        const auto extent = read_extent(store_, row.id);
        if (extent) {
            note(row.id, account, extent->highest_modseq, {extent->bytes, extent->messages});
        } else if (extent.error().code != Errc::corrupt && extent.error().code != Errc::not_found) {
            return extent.error();
        }
        // A damaged mailbox counts nothing: it is not served either.
    }
    return {};
}

Result<void> QuotaMeter::load(AccountId account, const AccountQuota& quota,
                              const std::optional<Pool>& pool) {
    const auto begun = Clock::now();
    std::vector<AccountId> accounts{account};
    if (pool) {
        auto members = pools_.members(quota.pool);
        if (!members) return members.error();
        accounts = std::move(*members);
    }
    {
        std::lock_guard lock(mutex_);
        drop_pool(quota.pool);
        PoolUse use;
        if (pool) use.version = pool->version;
        use.accounts = accounts;
        if (pool) pool_uses_[quota.pool] = std::move(use);
    }
    for (AccountId each : accounts) {
        const auto loaded = load_account(each, pool ? quota.pool : 0);
        if (loaded) continue;
        std::lock_guard lock(mutex_);
        drop_pool(quota.pool);
        drop_account(each);
        return loaded;
    }
    std::lock_guard lock(mutex_);
    const auto use = pool_uses_.find(quota.pool);
    if (use == pool_uses_.end()) return {};
    use->second.read_at = Clock::now();
    use->second.reading = use->second.read_at - begun;
    return {};
}

bool QuotaMeter::is_fresh(AccountId account, const AccountQuota& quota,
                          const std::optional<Pool>& pool) {
    std::lock_guard lock(mutex_);
    const auto own = accounts_.find(account);
    if (own == accounts_.end() || own->second.pool != (pool ? quota.pool : 0)) return false;
    if (!pool) return true;
    const auto use = pool_uses_.find(quota.pool);
    if (use == pool_uses_.end() || use->second.version != pool->version) return false;
    const auto age = Clock::now() - use->second.read_at;
    return age < reread_after || age < reread_factor * use->second.reading;
}

bool QuotaMeter::is_ready(AccountId account) {
    const auto quota = pools_.quota_of(account);
    if (!quota) return true;
    if (quota->pool == 0 && quota->cap == PoolLimits{}) return true;
    const auto pool = pools_.read(quota->pool);
    return !pool || is_fresh(account, *quota, *pool);
}

Result<QuotaMeter::View> QuotaMeter::view(AccountId account) {
    View view;
    const auto quota = pools_.quota_of(account);
    if (!quota) return quota.error();
    view.quota = *quota;
    if (quota->pool != 0) {
        auto pool = pools_.read(quota->pool);
        if (!pool) return pool.error();
        view.pool = std::move(*pool);
    }
    if (!view.pool && quota->cap == PoolLimits{}) return view;
    if (!is_fresh(account, *quota, view.pool)) {
        std::lock_guard one_at_a_time(loading_);
        if (!is_fresh(account, *quota, view.pool)) {
            const auto loaded = load(account, *quota, view.pool);
            if (!loaded) return loaded.error();
        }
    }
    std::lock_guard lock(mutex_);
    view.own_use = accounts_[account].all;
    const auto use = pool_uses_.find(quota->pool);
    if (view.pool && use != pool_uses_.end()) view.pool_use = use->second.all;
    return view;
}

Result<QuotaMeter::Hold> QuotaMeter::reserve(AccountId account, QuotaUse room, QuotaRule rule) {
    if (rule == QuotaRule::none || account.value == 0) return Hold();
    const auto seen = view(account);
    if (!seen) return seen.error();
    if (!seen->pool && seen->quota.cap == PoolLimits{}) return Hold();
    std::lock_guard lock(mutex_);
    // Again, now that nobody else can reserve at once.
    QuotaUse own = accounts_[account].all;
    own += held_by_account_[account];
    const auto capped = check("the mailbox", seen->quota.cap, own, room, rule);
    if (!capped) return capped.error();
    const std::uint64_t pool = seen->pool ? seen->quota.pool : 0;
    if (pool != 0) {
        const auto use = pool_uses_.find(pool);
        QuotaUse used = use == pool_uses_.end() ? seen->pool_use : use->second.all;
        used += held_by_pool_[pool];
        const auto fits =
            check("the quota pool " + seen->pool->name, seen->pool->limits, used, room, rule);
        if (!fits) return fits.error();
    }
    held_by_account_[account] += room;
    held_by_pool_[pool] += room;
    return std::make_shared<Room>(*this, account, pool, room);
}

void QuotaMeter::Room::give_back(QuotaUse part) {
    std::lock_guard lock(meter_.mutex_);
    part = {std::min(part.bytes, left_.bytes), std::min(part.messages, left_.messages)};
    constexpr QuotaUse none;
    if (part == none) return;
    left_ -= part;
    auto& by_account = meter_.held_by_account_;
    auto& by_pool = meter_.held_by_pool_;
    if ((by_account[account_] -= part) == none) by_account.erase(account_);
    if ((by_pool[pool_] -= part) == none) by_pool.erase(pool_);
}

QuotaMeter::Room::~Room() {
    give_back(left_);
}

QuotaRoot QuotaMeter::View::own_root() const {
    return root_of("", own_use, quota.cap);
}

QuotaRoot QuotaMeter::View::pool_root() const {
    return root_of(pool->name, pool_use, pool->limits);
}

Result<std::vector<QuotaRoot>> QuotaMeter::roots(AccountId account) {
    const auto seen = view(account);
    if (!seen) return seen.error();
    std::vector<QuotaRoot> roots;
    if (seen->quota.cap != PoolLimits{}) roots.push_back(seen->own_root());
    if (seen->pool) roots.push_back(seen->pool_root());
    return roots;
}

// Below a level again, it may be told anew, but only some way below: use that swings around a level
// would else bring a mail each time.
Result<void> QuotaMeter::add_warning(std::vector<QuotaWarning>& found, const QuotaRoot& root,
                                     std::uint64_t pool, AccountId account) {
    const int level = level_of(root);
    const auto told = pools_.told(pool, account);
    if (!told) return told.error();
    if (level < told->level) {
        if (reaches(root, told->level - level_slack_percent)) return {};
        return pools_.set_told(pool, account, {level, told->round + 1});
    }
    if (level == told->level) return {};
    OperationId base;
    const std::uint64_t halves[] = {pool != 0 ? pool : account.value, told->round};
    static_assert(sizeof halves == sizeof base.bytes);
    std::memcpy(base.bytes.data(), halves, sizeof halves);
    found.push_back(
        {root, level, account, derive_operation(base, static_cast<std::uint64_t>(level))});
    return {};
}

Result<std::vector<QuotaWarning>> QuotaMeter::warnings() {
    std::vector<AccountId> accounts;
    std::map<std::uint64_t, AccountId> first_of_pool;
    {
        std::lock_guard lock(mutex_);
        for (const auto& [account, use] : accounts_) accounts.push_back(account);
        for (const auto& [pool, use] : pool_uses_) {
            if (!use.accounts.empty()) {
                first_of_pool[pool] = *std::min_element(use.accounts.begin(), use.accounts.end());
            }
        }
    }
    std::vector<QuotaWarning> found;
    for (AccountId account : accounts) {
        const auto seen = view(account);
        if (!seen) return seen.error();
        if (seen->quota.cap != PoolLimits{}) {
            const auto added = add_warning(found, seen->own_root(), 0, account);
            if (!added) return added.error();
        }
        const auto first = first_of_pool.find(seen->quota.pool);
        if (!seen->pool || first == first_of_pool.end() || first->second != account) continue;
        const auto added = add_warning(found, seen->pool_root(), seen->quota.pool, account);
        if (!added) return added.error();
    }
    return found;
}

Result<void> QuotaMeter::warned(const QuotaWarning& warning) {
    std::uint64_t number = 0;
    if (!warning.root.name.empty()) {
        const auto pool = pools_.find(warning.root.name);
        if (!pool) return pool.error();
        number = pool->number;
    }
    const auto told = pools_.told(number, warning.account);
    if (!told) return told.error();
    return pools_.set_told(number, warning.account, {warning.percent, told->round});
}

}  // namespace postern::mail

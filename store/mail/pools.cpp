#include "store/mail/pools.h"

#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"
#include "store/mail/mailbox_names.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace postern::mail {

namespace {

constexpr std::uint8_t pool_row_version = 1;
constexpr int max_races = 100;
constexpr std::uint64_t max_limit = std::uint64_t{1} << 62;  // RFC 9208 section 5: 63 bits
constexpr std::string_view head_of_pool = "h";
constexpr std::string_view quota_key = "q";
constexpr std::string_view told_key = "w";
constexpr kv::ShardId index_shard{kv::ShardKind::pool, 0, 0};

kv::ShardId shard_of(std::uint64_t pool) {
    return {kv::ShardKind::pool, pool, 0};
}

std::string name_key(std::string_view name) {
    return "n" + std::string(name);
}
std::string member_key(AccountId account) {
    return kv::RowWriter().u8('a').u64(account.value).take();
}

Result<void> check_name(std::string_view name) {
    const bool good = !name.empty() && name.size() <= max_pool_name_bytes &&
                      std::all_of(name.begin(), name.end(), [](char c) {
                          return c > ' ' && c != 0x7f && c != '"' && c != '\\';
                      });
    if (good) return {};
    return Error{Errc::invalid, "not a name for a pool: " + std::string(name.substr(0, 100))};
}

Result<void> check_limits(const PoolLimits& limits) {
    if (limits.hard_bytes != 0 && limits.hard_bytes < limits.soft_bytes) {
        return Error{Errc::invalid, "the hard limit is below the soft one"};
    }
    if (std::max({limits.hard_bytes, limits.soft_bytes, limits.messages}) > max_limit) {
        return Error{Errc::invalid, "the limit is too large"};
    }
    return {};
}

// A limit of messages stands last and only where there is one: rows are older than it.
std::string with_messages(kv::RowWriter& row, const PoolLimits& limits) {
    if (limits.messages != 0) row.varint(limits.messages);
    return row.take();
}

void read_messages(kv::RowReader& row, PoolLimits& limits) {
    if (!row.at_end()) limits.messages = row.varint();
}

std::string encode(const Pool& pool) {
    kv::RowWriter row;
    row.u8(pool_row_version)
        .bytes(pool.name)
        .varint(pool.limits.soft_bytes)
        .varint(pool.limits.hard_bytes)
        .id(pool.version);
    return with_messages(row, pool.limits);
}

std::string encode(const AccountQuota& quota) {
    kv::RowWriter row;
    row.u8(pool_row_version)
        .u64(quota.pool)
        .varint(quota.cap.soft_bytes)
        .varint(quota.cap.hard_bytes);
    return with_messages(row, quota.cap);
}

Result<Pool> decode(std::uint64_t number, std::string_view value) {
    kv::RowReader reader(value);
    const auto version = reader.u8();
    Pool pool;
    pool.number = number;
    pool.name = reader.bytes();
    pool.limits.soft_bytes = reader.varint();
    pool.limits.hard_bytes = reader.varint();
    pool.version = reader.id();
    read_messages(reader, pool.limits);
    if (version == pool_row_version && reader.done()) return pool;
    return Error{Errc::corrupt, "damaged row of quota pool " + std::to_string(number)};
}

// Reads the pool's head, has it changed, and commits, again while others change it too.
Result<void> change_pool(kv::Store& store, std::uint64_t number,
                         const std::function<Result<void>(Pool&, kv::Batch&)>& change) {
    for (int attempt = 0; attempt < max_races; ++attempt) {
        auto row = store.get(shard_of(number), head_of_pool);
        if (!row) return row.error();
        if (!*row) return Error{Errc::not_found, "no such pool"};
        auto pool = decode(number, **row);
        if (!pool) return pool.error();
        kv::Batch batch;
        batch.shard = shard_of(number);
        batch.operation = kv::random_id();
        batch.preconditions.push_back({std::string(head_of_pool), std::move(*row)});
        if (const auto changed = change(*pool, batch); !changed) return changed;
        pool->version = kv::random_id();
        batch.operations.emplace_back(kv::Put{std::string(head_of_pool), encode(*pool)});
        const auto outcome = store.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return {};
    }
    return Error{Errc::conflict, "the pool is changed too often by others"};
}

Result<bool> commit_one(kv::Store& store, const kv::ShardId& shard,
                        std::vector<kv::Precondition> conditions, kv::Operation operation) {
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    batch.preconditions = std::move(conditions);
    batch.operations.push_back(std::move(operation));
    const auto outcome = store.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    return *outcome == kv::Outcome::committed;
}

}  // namespace

PoolLimits limits_from_soft(std::uint64_t soft_bytes) {
    return {soft_bytes, soft_bytes + soft_bytes / 10};
}

Result<Pool> Pools::add(std::string_view name, PoolLimits limits) {
    if (const auto good = check_name(name); !good) return good.error();
    if (const auto good = check_limits(limits); !good) return good.error();
    Pool pool{kv::random_number(), std::string(name), limits, kv::random_id()};
    // The name leads to the pool: until it does, a crash leaves a pool that nobody can see or use.
    const auto made =
        commit_one(store_, shard_of(pool.number), {{std::string(head_of_pool), std::nullopt}},
                   kv::Put{std::string(head_of_pool), encode(pool)});
    if (!made) return made.error();
    const auto named = commit_one(store_, index_shard, {{name_key(name), std::nullopt}},
                                  kv::Put{name_key(name), kv::RowWriter().u64(pool.number).take()});
    if (named && *named) return pool;
    static_cast<void>(
        commit_one(store_, shard_of(pool.number), {}, kv::Erase{std::string(head_of_pool)}));
    if (!named) return named.error();
    return Error{Errc::exists, "pool exists: " + std::string(name)};
}

Result<void> Pools::set(std::string_view name, PoolLimits limits) {
    if (const auto good = check_limits(limits); !good) return good;
    const auto pool = find(name);
    if (!pool) return pool.error();
    return change_pool(store_, pool->number, [&](Pool& now, kv::Batch&) {
        now.limits = limits;
        return Result<void>();
    });
}

Result<void> Pools::remove(std::string_view name) {
    const auto pool = find(name);
    if (!pool) return pool.error();
    const auto accounts = members(pool->number);
    if (!accounts) return accounts.error();
    if (!accounts->empty()) {
        return Error{Errc::conflict, "pool has users: " + std::to_string(accounts->size()) +
                                         "; assign them elsewhere first"};
    }
    const auto unnamed = commit_one(store_, index_shard, {}, kv::Erase{name_key(name)});
    if (!unnamed) return unnamed.error();
    for (;;) {
        const auto page = store_.scan(shard_of(pool->number), "", "", 500);
        if (!page) return page.error();
        if (page->rows.empty()) return {};
        kv::Batch batch;
        batch.shard = shard_of(pool->number);
        batch.operation = kv::random_id();
        for (const kv::Row& row : page->rows) batch.operations.emplace_back(kv::Erase{row.key});
        const auto erased = store_.commit_and_wait(std::move(batch));
        if (!erased) return erased.error();
    }
}

Result<std::vector<Pool>> Pools::list() {
    std::vector<Pool> pools;
    std::string from = "n";
    for (bool more = true; more;) {
        const auto page = store_.scan(index_shard, from, "o", kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            auto pool = read(kv::RowReader(row.value).u64());
            if (!pool) return pool.error();
            if (*pool) pools.push_back(std::move(**pool));
        }
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return pools;
}

Result<Pool> Pools::find(std::string_view name) {
    const auto number = name.empty() || name.size() > max_pool_name_bytes
                            ? Result<std::optional<std::string>>(std::nullopt)
                            : store_.get(index_shard, name_key(name));
    if (!number) return number.error();
    if (*number) {
        auto pool = read(kv::RowReader(**number).u64());
        if (!pool) return pool.error();
        if (*pool) return std::move(**pool);
    }
    return Error{Errc::not_found, "no such pool: " + std::string(name.substr(0, 100))};
}

Result<std::optional<Pool>> Pools::read(std::uint64_t number) {
    const auto row = store_.get(shard_of(number), head_of_pool);
    if (!row) return row.error();
    if (!*row) return std::optional<Pool>();
    auto pool = decode(number, **row);
    if (!pool) return pool.error();
    return std::optional<Pool>(std::move(*pool));
}

Result<std::vector<AccountId>> Pools::members(std::uint64_t number) {
    std::vector<AccountId> accounts;
    std::string from = "a";
    for (bool more = true; more;) {
        const auto page = store_.scan(shard_of(number), from, "b", kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            kv::RowReader key(row.key);
            key.u8();
            const AccountId account{key.u64()};
            const auto quota = quota_of(account);
            if (!quota) return quota.error();
            if (quota->pool == number) accounts.push_back(account);
        }
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return accounts;
}

Result<AccountQuota> Pools::quota_of(AccountId account) {
    const auto row = store_.get(account_shard(account), quota_key);
    if (!row) return row.error();
    AccountQuota quota;
    if (!*row) return quota;
    kv::RowReader reader(**row);
    const auto version = reader.u8();
    quota.pool = reader.u64();
    quota.cap.soft_bytes = reader.varint();
    quota.cap.hard_bytes = reader.varint();
    read_messages(reader, quota.cap);
    if (version == pool_row_version && reader.done()) return quota;
    return Error{Errc::corrupt, "damaged quota of account " + std::to_string(account.value)};
}

Result<void> Pools::change_member(std::uint64_t pool, AccountId account, bool member) {
    return change_pool(store_, pool, [&](Pool&, kv::Batch& batch) {
        if (member) {
            batch.operations.emplace_back(kv::Put{member_key(account), "1"});
        } else {
            batch.operations.emplace_back(kv::Erase{member_key(account)});
        }
        return Result<void>();
    });
}

Result<void> Pools::assign(AccountId account, AccountQuota quota) {
    if (const auto good = check_limits(quota.cap); !good) return good;
    const auto before = quota_of(account);
    if (!before) return before.error();
    if (quota.pool != 0) {
        const auto joined = change_member(quota.pool, account, true);
        if (!joined) return joined;
    }
    kv::Operation operation = kv::Erase{std::string(quota_key)};
    if (quota.pool != 0 || quota.cap != PoolLimits{}) {
        operation = kv::Put{std::string(quota_key), encode(quota)};
    }
    const auto written = commit_one(store_, account_shard(account), {}, std::move(operation));
    if (!written) return written.error();
    if (before->pool == 0 || before->pool == quota.pool) return {};
    const auto left = change_member(before->pool, account, false);
    // The pool may be gone; a member too many is passed over in any case.
    return left || left.error().code == Errc::not_found ? Result<void>() : left;
}

Result<Told> Pools::told(std::uint64_t pool, AccountId account) {
    const auto row = store_.get(pool != 0 ? shard_of(pool) : account_shard(account), told_key);
    if (!row) return row.error();
    Told told;
    if (!*row) return told;
    kv::RowReader reader(**row);
    told.level = reader.u8();
    told.round = reader.varint();
    return told;
}

Result<void> Pools::set_told(std::uint64_t pool, AccountId account, Told told) {
    const auto done = commit_one(
        store_, pool != 0 ? shard_of(pool) : account_shard(account), {},
        kv::Put{
            std::string(told_key),
            kv::RowWriter().u8(static_cast<std::uint8_t>(told.level)).varint(told.round).take()});
    return done ? Result<void>() : Result<void>(done.error());
}

}  // namespace postern::mail

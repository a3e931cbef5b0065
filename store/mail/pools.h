// Quota pools: limits that several accounts share, and an account's own cap.
//
// An account's row (`q` of its shard) says which pool it counts against: the truth. The pool's
// shard lists its members, so that the pool can be summed; a crash may leave a member too many
// there, which is passed over, never one too few. What is used is not written anywhere: it is the
// sum of the mailboxes' heads (quota_meter.h), so no crash can make it wrong.
//
//   shard pool/0       n name        number of the pool
//   shard pool/number  h             name, limits, version
//                      a account(8)  member
//                      w             highest warning told; a cap's is in the account's shard
//
// Thread rule: any thread but the store engine's; changes wait for durability.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

inline constexpr std::size_t max_pool_name_bytes = 100;

struct PoolLimits {
    std::uint64_t soft_bytes = 0;  // 0: none
    std::uint64_t hard_bytes = 0;  // 0: none; else at least soft_bytes
    std::uint64_t messages = 0;    // 0: none; how many messages at most, whoever sends them
    bool operator==(const PoolLimits&) const = default;
};

// The hard limit when only the soft one is given: a tenth more.
PoolLimits limits_from_soft(std::uint64_t soft_bytes);

struct Pool {
    std::uint64_t number = 0;
    std::string name;
    PoolLimits limits;
    Id128 version;  // another after each change of limits or members
};

// What an account counts against.
struct AccountQuota {
    std::uint64_t pool = 0;  // 0: none
    PoolLimits cap;
};

// Which warning was sent last.
struct Told {
    int level = 0;            // 0: none
    std::uint64_t round = 0;  // grows when use has fallen, so that the next warning is another one
};

class Pools {
public:
    explicit Pools(kv::Store& store) : store_(store) {}

    // Errors: exists, invalid (name, limits).
    Result<Pool> add(std::string_view name, PoolLimits limits);
    // Errors: not_found, invalid.
    Result<void> set(std::string_view name, PoolLimits limits);
    // Errors: not_found, conflict (accounts left).
    Result<void> remove(std::string_view name);
    Result<std::vector<Pool>> list();  // ascending by name
    Result<Pool> find(std::string_view name);
    Result<std::optional<Pool>> read(std::uint64_t number);
    Result<std::vector<AccountId>> members(std::uint64_t number);

    Result<AccountQuota> quota_of(AccountId account);
    // The account leaves the pool that it was in. Pool 0: it is in none. Errors: not_found,
    // invalid.
    Result<void> assign(AccountId account, AccountQuota quota);

    // `pool` 0: of the account's cap.
    Result<Told> told(std::uint64_t pool, AccountId account);
    Result<void> set_told(std::uint64_t pool, AccountId account, Told told);

private:
    Result<void> change_member(std::uint64_t pool, AccountId account, bool member);

    kv::Store& store_;
};

}  // namespace postern::mail

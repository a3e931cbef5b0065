// Verifies what the store promises, and mends what can be mended, also while the gateway serves.
//
// Rows and bodies, bitmaps and counters, history, owners of bodies, the spool, the queue, quota
// pools, unfinished work, and what nothing leads to. A mailbox that changes all the while is looked
// at message by message, without its sums, and counted as busy.
//
// Repair works through the same batches as everybody else. It never takes away a body that
// something leads to; what nothing leads to goes only when `alone` says that no gateway runs and
// nothing that could have led there was found damaged.
#pragma once

#include "protocols/base/result.h"
#include "protocols/base/time.h"
#include "store/kv/kv.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace postern::care {

struct Finding {
    std::string where;  // "ann@example.org INBOX UID 17"
    std::string what;
    bool mended = false;
};

struct CheckOptions {
    bool repair = false;
    bool alone = false;             // no gateway runs on this store, and none will before the end
    bool read_bodies = true;        // false: only that they are there
    std::optional<AccountId> only;  // this account alone, and nothing but its mailboxes
    Time now;                       // for a fresh UIDVALIDITY
    // Mailboxes done and to be done, messages done.
    std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)> progress = {};
    std::function<void(const Finding&)> found = {};  // as they come
};

struct CheckReport {
    std::uint64_t accounts = 0, mailboxes = 0, messages = 0, bodies = 0, bytes = 0;
    std::uint64_t busy = 0;  // mailboxes whose sums could not be compared
    std::uint64_t findings = 0, mended = 0;
    // What an interrupted change may leave: bodies and empty mailboxes that nothing leads to. Space
    // is lost, nothing else; repair tidies them when alone.
    std::uint64_t leftovers = 0;
    bool clean() const { return findings == mended; }
};

// Errors: unavailable, where the store cannot be read at all.
Result<CheckReport> check_store(kv::Store& store, const CheckOptions& options);

}  // namespace postern::care

// Backups of a serving store, and getting mail back from them.
//
//   bodies/N.pack      messages and rows, each once over all runs (pack.h)
//   snapshots/TIME     one run: what there was, as ids into the packs
//
// A run writes only what no earlier run wrote; a mailbox that has not changed is not even read.
// Each account is taken as it was at one moment: while its mailboxes change, it is read again. A
// run that was ended anywhere is taken up by the next one. Not in a backup: the spool, whose mail
// is on its way into mailboxes.
#pragma once

#include "protocols/base/result.h"
#include "protocols/base/time.h"
#include "store/kv/kv.h"

#include <functional>
#include <string>
#include <vector>

namespace postern::care {

// Mailboxes done and to be done, messages done.
using Progress = std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)>;
// Something that could not be taken along, by name; the work goes on.
using Problem = std::function<void(const std::string&)>;

struct BackupReport {
    std::string snapshot;  // its name
    std::uint64_t mailboxes = 0, unchanged = 0, messages = 0;
    std::uint64_t added_bytes = 0;
    std::uint64_t problems = 0;
    std::uint64_t moving = 0;  // accounts that changed all the while: not of one moment
};
// Errors: unavailable.
Result<BackupReport> backup(kv::Store& store, const std::string& folder, Time now,
                            const Progress& progress, const Problem& problem);

// Names of the runs, oldest first: "20260131T235959Z". Errors: not_found.
Result<std::vector<std::string>> snapshots(const std::string& folder);

struct RestoreOptions {
    std::string folder;
    std::string snapshot;  // the last one not after this; empty: the last
    std::string address;   // only this user; empty: the whole store, which has to be empty
    std::string mailbox;   // only this one of the user's
    Time now;
};
struct RestoreReport {
    std::string snapshot;
    std::uint64_t mailboxes = 0, messages = 0;
    std::uint64_t problems = 0;
    std::vector<std::string> names;  // of one user: where the mailboxes are now
};
// A whole store comes back with its UIDs and UIDVALIDITY. A user's mailbox comes back under its
// name, or, when that is taken, below "Restored TIME"; nothing that is there is changed. Errors:
// not_found, exists (the store is not empty), corrupt, unavailable.
Result<RestoreReport> restore(kv::Store& store, const RestoreOptions& options,
                              const Progress& progress, const Problem& problem);

}  // namespace postern::care

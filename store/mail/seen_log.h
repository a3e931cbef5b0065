// At which modseq an account's \Seen changed last, where that is not the message's own modseq
// (ADR 0020).
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"
#include "store/mail/mailbox_sets.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace postern::mail {

// Of one account and one range of 65,536 UIDs. When there are so many, the two oldest become one
// at the younger's modseq: then some messages seem to have changed a little later than they did.
inline constexpr std::size_t max_seen_log_rows = 64;

// Those 65,536 that have members in `uids`, by their upper 16 bits, ascending.
std::vector<std::uint16_t> ranges_of(const UidSet& uids);
UidSet part_of(const UidSet& uids, std::uint16_t high);

// Not shared between threads. `store` and `sets` must outlive it. What is newer than `sets` is left
// out.
class SeenLog {
public:
    SeenLog(kv::Store& store, const MailboxSets& sets, AccountId viewer);

    // Reads what modseq_of needs for these. Errors: corrupt, unavailable.
    Result<void> load(const UidSet& uids);
    // 0: the message's own modseq tells all.
    ModSeq modseq_of(Uid uid) const;

    // Of all messages. Errors: corrupt, unavailable.
    Result<UidSet> changed_since(ModSeq since) const;

private:
    using Rows = std::vector<std::pair<ModSeq, UidSet>>;  // ascending

    Result<Rows> read(AccountId account, std::uint16_t high, ModSeq since) const;

    kv::Store& store_;
    const MailboxSets& sets_;
    std::vector<AccountId> accounts_;
    std::map<std::uint16_t, Rows> loaded_;
};

}  // namespace postern::mail

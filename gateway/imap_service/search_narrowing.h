// Which messages a SEARCH program surely matches, and which it possibly does, without reading them.
#pragma once

#include "gateway/imap_service/search_program.h"
#include "gateway/search_index/search_index.h"
#include "protocols/base/result.h"
#include "protocols/base/uid_set.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <memory>

namespace postern::imap_service {

// So few messages are read rather than looked up.
inline constexpr std::uint64_t max_unindexed_reads = 32;

struct Bounds {
    UidSet sure;
    UidSet possible;  // includes `sure`
};

// Not thread-safe. `viewer`: see mail::Viewed. `state` and `stopped` must outlive it; `index` may
// be null.
class Narrowing {
public:
    Narrowing(mail::MailStore& store, const mail::MailboxState& state, AccountId viewer,
              search_index::SearchIndex* index, const std::atomic<bool>& stopped)
        : store_(store), state_(state), viewer_(viewer), index_(index), stopped_(stopped) {}
    ~Narrowing();
    Narrowing(const Narrowing&) = delete;
    Narrowing& operator=(const Narrowing&) = delete;

    // Of `among`. Equal sets when the node's cost is `sets`. Errors: unavailable (`stopped`), and
    // those of the store.
    Result<Bounds> narrow(const Node& node, const UidSet& among);

private:
    Result<Bounds> all_of(const Node& node, const UidSet& among);
    Result<Bounds> any_of(const Node& node, const UidSet& among);
    Result<Bounds> none_of(const Node& node, const UidSet& among);
    Result<Bounds> by_flag(Result<UidSet> flagged, const UidSet& among, bool wanted) const;
    Result<Bounds> by_text(const Node& node, const UidSet& among);
    Bounds look_up(fulltext::Field field, const Node& node, const UidSet& among);

    mail::MailStore& store_;
    const mail::MailboxState& state_;
    const AccountId viewer_;
    search_index::SearchIndex* const index_;
    const std::atomic<bool>& stopped_;
    std::unique_ptr<fulltext::Index> texts_;  // opened when it is needed
};

}  // namespace postern::imap_service

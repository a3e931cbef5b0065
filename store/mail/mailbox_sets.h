// A mailbox's counters and sets in memory: one immutable, consistent picture of it.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"
#include "store/mail/rows.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postern::mail {

struct MailboxSets {
    MailboxId id;
    std::string raw_head;  // the head row as stored: the picture is current while it is unchanged
    Head head;
    std::vector<std::string> keywords;  // by slot; empty: the slot is free
    std::map<SetNumber, std::shared_ptr<const UidSet>> sets;

    SeenMode seen_mode = SeenMode::common;
    // Of SeenMode::own: rows `v`. They may hold UIDs of messages that are gone.
    std::map<AccountId, std::shared_ptr<const UidSet>> seen_marks;

    const UidSet& set(SetNumber number) const;
    const UidSet& existing() const { return set(existing_set); }
    const UidSet& marks_of(AccountId account) const;
    // Whether that account's \Seen is not the messages' own flag.
    bool has_own_seen(AccountId viewer) const {
        return seen_mode == SeenMode::own && viewer.value != 0 && viewer != head.owner;
    }
    UidSet seen_by(AccountId viewer) const;
    bool is_seen(const StoredMessage& message, AccountId viewer) const;
    Flags flags_of(const StoredMessage& message, AccountId viewer) const;
    int slot_of(std::string_view keyword) const;  // -1: unknown here
    MailboxState state(AccountId viewer) const;
    // As state, without `unseen` and `deleted`: each command of a session asks what is new.
    MailboxState state_for_news() const;
};

using SetsPtr = std::shared_ptr<const MailboxSets>;

// Reads the whole picture. Errors: not_found (no such mailbox), corrupt, unavailable.
Result<SetsPtr> load_sets(kv::Store& store, MailboxId mailbox);

// How much a mailbox holds, without reading all of its sets. Errors as of load_sets.
struct Extent {
    ModSeq highest_modseq = 0;
    std::uint64_t bytes = 0, messages = 0;
};
Result<Extent> read_extent(kv::Store& store, MailboxId mailbox);

// The slot of that name, without regard to ASCII case; -1: none.
int find_keyword(const std::vector<std::string>& slots, std::string_view keyword);

// ASCII case only, as keywords and "INBOX" compare.
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace postern::mail

// Work that spans shards, written down before it begins, so that a crash in the middle is made
// good: each kind can be done again from the start without doing anything twice.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "protocols/base/uid_set.h"
#include "store/kv/kv.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::mail {

struct Intent {
    enum class Kind : std::uint8_t {
        move = 1,
        purge = 2,
        remove_account = 3,
        append = 4,   // several messages, all or none
        replace = 5,  // a new message, and another that goes
    };
    OperationId id;
    Kind kind = Kind::move;
    AccountId account;  // purge, remove_account; move: whose doing it is; replace: owner of `from`
    MailboxId from;     // move, replace (of what goes); the mailbox of purge
    MailboxId to;       // move, append, replace (of what is new)
    UidSet uids;        // move; replace: of what goes; append: 1 to the count of the messages
};

Result<void> write_intent(kv::Store& store, const Intent& intent);
Result<void> erase_intent(kv::Store& store, const OperationId& id);
// Those that a crash left. Errors: corrupt, unavailable.
Result<std::vector<Intent>> read_intents(kv::Store& store);

}  // namespace postern::mail

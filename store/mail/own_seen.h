// Turning each account's own \Seen on and off for a mailbox, and ending or forgetting an
// account's (ADR 0020).
#pragma once

#include "store/mail/operations.h"

namespace postern::mail {

// On: everybody begins with \Seen as it is. Off: everybody sees the owner's again. Harmless when it
// is so already. Errors: limit (max_seen_ranges).
OperationPtr own_seen_operation(bool on, Done<void> done);

// Of an account that may not see the mailbox any more: should it come back, it begins anew and is
// told so.
OperationPtr end_seen_operation(AccountId account, Done<void> done);

// Of an account that is gone.
OperationPtr forget_seen_operation(AccountId account, Done<void> done);

}  // namespace postern::mail

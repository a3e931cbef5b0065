// COPY and MOVE between mailboxes, in bounded chunks. All of it waits: for task threads only.
//
// A copied body is not written again: the new message becomes one more owner of it. The order of
// steps keeps every message readable at any crash: owner first, then the check that the source is
// still there, then the new row, then (move) the old row's end.
#pragma once

#include "protocols/base/result.h"
#include "store/mail/intents.h"
#include "store/mail/mailboxes.h"

namespace postern::mail {

inline constexpr std::size_t max_transfer_chunk = 100;  // messages

// Undone when it fails. Takes room in the quota of the target's owner.
Result<Copied> copy_messages(Mailboxes& mailboxes, Viewed from, const UidSet& uids, MailboxId to);

// Chunks before a failing one stay moved: nothing is lost or doubled. The answer tells of those as
// well when `failed` is set.
struct Moved {
    Copied copied;
    std::optional<Error> failed;
};
Moved move_messages(Mailboxes& mailboxes, Viewed from, const UidSet& uids, MailboxId to);

// One chunk of a move that a crash may have interrupted anywhere.
Result<Copied> replay_move(Mailboxes& mailboxes, const Intent& intent);

// A delivery from the spool: the body is there already.
Result<Appended> append_stored_message(Mailboxes& mailboxes, MailboxId mailbox, AppendInput input);

// Removes them whatever their flags; answers which were there.
Result<UidSet> expunge_now(Mailboxes& mailboxes, MailboxId mailbox, const UidSet& uids);

// Stable names derived from an operation.
std::uint64_t derive_owner(const OperationId& base, std::uint64_t number);
OperationId derive_operation(const OperationId& base, std::uint64_t number);

}  // namespace postern::mail

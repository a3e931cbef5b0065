// Appending new messages: their quota, their bodies, then the mailbox's queue. Internal to
// store/mail.
//
// Thread rule: any thread; may wait for bodies with parts and for sums of quotas that are not read.
#pragma once

#include "store/mail/mailboxes.h"
#include "store/mail/operations.h"

#include <cstdint>
#include <vector>

namespace postern::mail {

// What can be said of it before anything is stored. Errors: invalid.
Result<void> check_message(const NewMessage& message);

AppendInput append_input(NewMessage message, std::uint64_t size, OperationId operation);

// As MailStore::append, of a message that was checked. `owner`: of the mailbox.
void append_message(Mailboxes& mailboxes, Viewed mailbox, AccountId owner, NewMessage message,
                    OperationId operation, Done<Appended> done);

// As MailStore::append_together.
void append_messages(Mailboxes& mailboxes, Viewed mailbox, std::vector<NewMessage> messages,
                     Replaced replaced, Done<std::vector<Appended>> done);

}  // namespace postern::mail

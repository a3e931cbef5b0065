// Appends that one batch cannot hold: too many messages, or one that takes the place of another in
// another mailbox. What is under way is written down first, so that a fault or a crash leaves all
// of it or nothing. Internal to store/mail. All of it waits: for task threads only.
#pragma once

#include "protocols/base/result.h"
#include "store/mail/intents.h"
#include "store/mail/mailboxes.h"
#include "store/mail/operations.h"

#include <cstdint>
#include <vector>

namespace postern::mail {

// The name by which the message is found again, should the work be broken off. `number`: its place
// among all, from 1.
OperationId step_operation(const OperationId& intent, std::uint64_t number);

// Of messages whose operations are step_operation(intent, 1) and so on. Others may see some of
// them before the rest comes. `room` gives back what the mailbox counts itself; may be null.
Result<std::vector<Appended>> append_in_steps(Mailboxes& mailboxes, MailboxId mailbox,
                                              const OperationId& intent,
                                              std::vector<AppendInput> inputs,
                                              const QuotaMeter::Hold& room);

// One message, after which `replaced` goes.
Result<std::vector<Appended>> replace_in_steps(Mailboxes& mailboxes, MailboxId mailbox,
                                               const OperationId& intent, AppendInput input,
                                               Replaced replaced, const QuotaMeter::Hold& room);

// What a crash broke off: an append is undone, a replacement finished or undone.
Result<void> replay_append(Mailboxes& mailboxes, const Intent& intent);
Result<void> replay_replace(Mailboxes& mailboxes, const Intent& intent);

}  // namespace postern::mail

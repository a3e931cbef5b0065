// Annotations (RFC 5464) and rights (RFC 4314): rows beside a mailbox's messages.
#pragma once

#include "store/mail/mailboxes.h"
#include "store/mail/types.h"

#include <map>
#include <string>
#include <vector>

namespace postern::mail {

using TextByName = std::map<std::string, std::string>;

// Mailbox 0: the account's own. See MailStore.
Result<TextByName> read_annotations(kv::Store& store, AccountId account, MailboxId mailbox);
void change_annotations(Mailboxes& mailboxes, AccountId account, MailboxId mailbox,
                        const std::vector<AnnotationChange>& changes, Done<void> done);

Result<TextByName> read_rights(kv::Store& store, MailboxId mailbox);
void change_rights(Mailboxes& mailboxes, MailboxId mailbox, const std::string& identifier,
                   const std::string& letters, Done<void> done);

}  // namespace postern::mail

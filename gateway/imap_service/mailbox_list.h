// All mailboxes as one user sees them: what LIST tells and NOTIFY watches.
#pragma once

#include "gateway/sharing/sharing.h"
#include "protocols/base/result.h"
#include "protocols/imap/questions.h"
#include "store/mail/mail_store.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::imap_service {

// RFC 6154 attributes; "" for none. nullopt: no such use here.
std::string special_use_name(mail::SpecialUse use);
std::optional<mail::SpecialUse> special_use_of(const std::string& name);

struct ListedName {
    imap::ListedMailbox listed;
    MailboxId id;  // 0: no mailbox
    bool own = true;
};

// The user's own, those of others with the levels above them, and names that are subscribed alone.
Result<std::vector<ListedName>> list_names(mail::MailStore& mail, sharing::Sharing& sharing,
                                           const sharing::Who& user);

}  // namespace postern::imap_service

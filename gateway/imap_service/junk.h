// What a move between mailboxes tells the filter, and teaching it that.
#pragma once

#include "gateway/learning/learning.h"
#include "protocols/base/result.h"
#include "store/mail/mail_store.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap_service {

// Into Junk: spam. Out of Junk: ham, unless into Trash or below it (`trash` is its name, empty:
// none), since people throw spam away. All else says nothing.
std::optional<learning::LearnAction> junk_signal(const mail::MailboxInfo& from,
                                                 const mail::MailboxInfo& to,
                                                 std::string_view trash);

// Reads the messages and logs a durable learn job for each. Messages that are gone meanwhile are
// left out. Blocks and computes, about a millisecond a message: for a WorkPool. Answers how many.
Result<std::size_t> learn_messages(mail::MailStore& mail, learning::Learning& learning,
                                   MailboxId mailbox, const std::vector<Uid>& uids,
                                   learning::LearnAction action, const std::string& who, Time when);

}  // namespace postern::imap_service

// The store's rows and ids in the engine's words.
#pragma once

#include "protocols/base/result.h"
#include "protocols/imap/questions.h"
#include "store/mail/types.h"

#include <cstddef>
#include <string>

namespace postern::imap_service {

inline constexpr std::size_t max_rows = 1000;  // mail::MailStore::rows

imap::MessageRow to_imap(mail::MessageRow row, bool with_object_ids);
imap::StatusData to_imap(const mail::Status& status, MailboxId mailbox);
// Of a blob reference that to_imap gave out.
Result<BlobId> blob_of(const std::string& reference);

}  // namespace postern::imap_service

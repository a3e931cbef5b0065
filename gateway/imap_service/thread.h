// THREAD (RFC 5256): ORDEREDSUBJECT and REFERENCES.
#pragma once

#include "gateway/imap_service/sort.h"
#include "protocols/imap/questions.h"

#include <atomic>
#include <vector>

namespace postern::imap_service {

// facts: ascending by UID. Never recursive: a thread may be as deep as the mailbox is large.
imap::Threads thread_by_subject(const std::vector<SortFacts>& facts);
imap::Threads thread_by_references(const std::vector<SortFacts>& facts);

Result<imap::Threads> thread_messages(mail::MailStore& store, MailboxId mailbox, const UidSet& uids,
                                      imap::ThreadAlgorithm algorithm,
                                      const std::atomic<bool>& stopped,
                                      SearchProgress* progress = nullptr);

}  // namespace postern::imap_service

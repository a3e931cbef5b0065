// THREAD (RFC 5256): ORDEREDSUBJECT and REFERENCES.
#pragma once

#include "gateway/imap_service/thread_facts.h"
#include "protocols/base/uid_set.h"
#include "protocols/imap/questions.h"

namespace postern::imap_service {

// Of the messages `among`. Never recursive: a thread may be as deep as the mailbox is large.
imap::Threads thread_messages(const ThreadFacts& facts, const UidSet& among,
                              imap::ThreadAlgorithm algorithm);

}  // namespace postern::imap_service

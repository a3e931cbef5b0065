// SEARCH over one mailbox (RFC 3501 section 6.4.4).
//
// What is cheap narrows first: UID sets and flags are set operations on bitmaps; of what is left,
// rows are read for dates and sizes, then headers, and bodies last, each message at most once and
// alone in memory. Text is compared after mime::fold_case, in decoded headers and decoded text
// parts.
#pragma once

#include "protocols/base/result.h"
#include "protocols/base/uid_set.h"
#include "protocols/imap/search.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace postern::imap_service {

inline constexpr std::size_t search_page_rows = 256;
// Of one message, this much is read and this much decoded text looked at; what lies behind is not
// searched.
inline constexpr std::uint64_t max_search_read_bytes = 32 * 1024 * 1024;
inline constexpr std::size_t max_search_text_bytes = 8 * 1024 * 1024;

// UIDs that match. Blocks on reads and computes: long programs belong on a WorkPool (see
// needs_rows). Ends early with Errc::unavailable once `stopped` is set. Thread rule: any thread.
Result<UidSet> search(mail::MailStore& store, MailboxId mailbox, const imap::SearchKey& program,
                      const std::atomic<bool>& stopped);

// False: answered from bitmaps alone, in microseconds whatever the mailbox holds.
bool needs_rows(const imap::SearchKey& program);

}  // namespace postern::imap_service

// SEARCH over one mailbox (RFC 3501 section 6.4.4).
//
// What is cheap narrows first: UID sets and flags are set operations on bitmaps, and the full-text
// index tells which messages hold a text for sure, and which surely do not. Of what is left, rows
// are read for dates and sizes, then headers, and bodies last, each message at most once and alone
// in memory. Text is compared after mime::fold_case, in decoded headers and decoded text
// parts.
#pragma once

#include "gateway/search_index/search_index.h"
#include "protocols/base/result.h"
#include "protocols/base/uid_set.h"
#include "protocols/imap/search.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace postern::imap_service {

inline constexpr std::size_t search_page_rows = 256;
// How far a search is, for whoever waits for it.
struct SearchProgress {
    std::atomic<std::uint64_t> read = 0;  // messages
    std::atomic<std::uint64_t> goal = 0;  // 0: not known
};

// UIDs that match; the same with and without `index`. Blocks on reads and computes: long programs
// belong on a WorkPool (see needs_rows). Ends early with Errc::unavailable once `stopped` is set.
// Thread rule: any thread.
Result<UidSet> search(mail::MailStore& store, mail::Viewed mailbox, const imap::SearchKey& program,
                      const std::atomic<bool>& stopped, search_index::SearchIndex* index = nullptr,
                      SearchProgress* progress = nullptr);

// False: answered from bitmaps alone, in microseconds whatever the mailbox holds.
bool needs_rows(const imap::SearchKey& program);

}  // namespace postern::imap_service

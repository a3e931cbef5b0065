// How well messages answer a fuzzy search (RFC 6203 section 4).
#pragma once

#include "protocols/base/result.h"
#include "protocols/base/uid_set.h"
#include "protocols/imap/search.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>

namespace postern::imap_service {

// To weigh a message it is read: so many of the newest are, the others score least.
inline constexpr std::size_t max_weighed_messages = 2000;
inline constexpr std::uint8_t least_relevancy = 1, most_relevancy = 100;

// Each of `uids` -> least_relevancy to most_relevancy; the best one has most_relevancy. What counts
// is how often the texts of the fuzzy keys come up, in the subject more than elsewhere. Blocks on
// reads. Ends early with Errc::unavailable once `stopped` is set. Thread rule: any thread.
Result<std::map<Uid, std::uint8_t>> relevancy(mail::MailStore& store, MailboxId mailbox,
                                              const UidSet& uids, const imap::SearchKey& program,
                                              const std::atomic<bool>& stopped);

}  // namespace postern::imap_service

// SORT (RFC 5256, RFC 5957) by reading, and what it shares with THREAD.
#pragma once

#include "gateway/imap_service/search.h"
#include "protocols/base/result.h"
#include "protocols/base/uid_set.h"
#include "protocols/imap/search.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace postern::imap_service {

// What of a message can decide its place. Texts are folded as by mime::casemap.
struct SortFacts {
    Uid uid = 0;
    std::int64_t arrival = 0;  // Unix ms
    std::int64_t sent = 0;     // likewise; the arrival where the Date field is unreadable
    std::uint64_t size = 0;
    std::uint8_t relevancy = 0;
    std::string subject;  // base subject
    bool is_reply = false;
    std::string from, to, cc;              // local part of the first address
    std::string display_from, display_to;  // its name, else its address
    std::string message_id;
    std::string references;  // as in mime::Summary
};

// Which facts cost something to find out; the others are always there.
struct FactsWanted {
    bool date = true, subject = true, addresses = true, references = true;
    bool summary() const { return date || subject || addresses || references; }
    bool date_alone() const { return date && !subject && !addresses && !references; }
};

// Calls visit with the facts of each of `uids` that exists, ascending. Messages without a kept
// summary are parsed. Ends early with what visit answers, and with Errc::unavailable once `stopped`
// is set. Any thread; blocks.
Result<void> visit_facts(mail::MailStore& store, MailboxId mailbox, const UidSet& uids,
                         FactsWanted wanted, const std::atomic<bool>& stopped,
                         SearchProgress* progress,
                         const std::function<Result<void>(SortFacts&&)>& visit);
// All of them at once.
Result<std::vector<SortFacts>> read_facts(mail::MailStore& store, MailboxId mailbox,
                                          const UidSet& uids, const std::atomic<bool>& stopped,
                                          SearchProgress* progress = nullptr);

// `relevancy`: of each of `uids`, where a key is by it.
Result<std::vector<Uid>> sort_messages(mail::MailStore& store, MailboxId mailbox,
                                       const UidSet& uids, const std::vector<imap::SortKey>& keys,
                                       const std::atomic<bool>& stopped,
                                       const std::map<Uid, std::uint8_t>& relevancy = {},
                                       SearchProgress* progress = nullptr);
bool sorts_by_relevancy(const std::vector<imap::SortKey>& keys);

// The highest mod-sequence among `uids`; 0: none is there.
Result<ModSeq> highest_modseq(mail::MailStore& store, mail::Viewed mailbox, UidSet uids);

}  // namespace postern::imap_service

// One mailbox: what its rows say, beside what its head, bitmaps and history say.
#pragma once

#include "store/care/check.h"
#include "store/care/walk.h"
#include "store/mail/mailbox_sets.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace postern::care {

// Where findings go and what is known so far; shared by all parts of a check.
struct CheckContext {
    kv::Store& store;
    const CheckOptions& options;
    CheckReport report;
    std::vector<std::uint64_t> references;  // short ids of bodies that something leads to
    bool lost_leads = false;                // something damaged may have led to bodies

    void finding(std::string where, std::string what, bool mended = false);
};

// What a mailbox's message rows add up to.
struct Tally {
    std::map<mail::SetNumber, UidSet> sets;
    std::uint64_t bytes = 0;
    ModSeq highest_modseq = 0;
    std::set<std::string> damaged;  // keys of rows that cannot be read
};
using VisitMessage = std::function<Result<void>(const mail::StoredMessage&)>;
Result<Tally> tally_messages(kv::Store& store, MailboxId mailbox, const VisitMessage& visit);

Result<void> check_mailbox(CheckContext& context, const NamedMailbox& mailbox);

// seen_check.cpp: each account's own \Seen. Whose rows there are and what of them is wrong; what of
// users that are gone is left over, or goes, while the mailbox has that head; and what mends it,
// once the mailbox holds `existing` and has that head.
using SeenRows = std::map<AccountId, std::vector<std::string>>;
Result<void> check_seen(CheckContext& context, const NamedMailbox& mailbox,
                        const mail::MailboxSets& sets, std::vector<std::string>& wrong,
                        SeenRows& rows);
Result<void> tidy_seen(CheckContext& context, const NamedMailbox& mailbox,
                       const std::string& raw_head, const SeenRows& rows);
Result<void> mend_seen(kv::Store& store, MailboxId mailbox, const UidSet& existing,
                       const mail::Head& head, std::vector<kv::Operation>& operations);

// Makes head, keywords and bitmaps say what the rows say; history begins anew, so that clients
// look at everything again. Damaged message rows are taken away. False: it changes too fast.
Result<bool> rebuild_mailbox(kv::Store& store, const NamedMailbox& mailbox, Time now);

// Everything but one body: that it is there, reads well, and knows this owner.
Result<void> check_body(CheckContext& context, const std::string& where, const BlobId& blob,
                        std::uint64_t owner, std::optional<std::uint64_t> size);

}  // namespace postern::care

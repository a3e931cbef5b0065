// The changes that a mailbox knows, as operations for its queue.
#pragma once

#include "store/mail/mail_store.h"
#include "store/mail/mailbox_queue.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

using OperationPtr = std::shared_ptr<MailboxOperation>;

// What an append needs beside the flags; `framed` is null when the body is stored already.
struct AppendInput {
    BlobId blob;
    std::shared_ptr<const std::string> framed;
    std::uint64_t owner = 0;
    std::uint64_t size = 0;
    std::string summary;
    std::string report;
    std::string uidl;
    Flags flags;
    Time internal_date;
    Id128 thread_id;        // empty: a thread of its own
    OperationId operation;  // empty: not remembered
    AccountId viewer;       // whose \Seen `flags` tells
};
OperationPtr append_operation(AppendInput input, Done<Appended> done);
// Whether one batch has room for them: max_appended_together, max_together_bytes,
// max_together_keywords.
bool fits_together(const std::vector<AppendInput>& inputs);
// All in one batch of their own, with which `replaced` goes (0: nothing does). Errors: limit, where
// they do not fit. Operations have to be new.
OperationPtr append_together_operation(std::vector<AppendInput> inputs, Uid replaced,
                                       Done<std::vector<Appended>> done);

// A message of another mailbox, to be linked here.
struct LinkInput {
    StoredMessage source;  // blob, size, dates, email id; its UID is the source's
    Flags flags;           // as `viewer` sees them
    AccountId viewer;
    // Of a mailbox of the same owner: everybody's \Seen comes along where each has its own here.
    struct EverybodysSeen {
        bool first = false;             // of account 0
        std::vector<AccountId> marked;  // see MailboxChange::set_mark
    };
    std::optional<EverybodysSeen> seen;
    std::uint64_t owner = 0;
    std::string summary;
    std::string report;
    std::string uidl;
    OperationId operation;  // of this one message; never empty
};
// Answers source and new UIDs pairwise.
OperationPtr link_operation(std::vector<LinkInput> inputs, Done<Copied> done);

OperationPtr flags_operation(AccountId viewer, UidSet uids, FlagChange change,
                             Done<FlagResult> done);
OperationPtr expunge_operation(UidSet uids, bool any, Done<UidSet> done);

// Rows of the mailbox that are no messages: annotations or rights. All or nothing; `prefix` may
// have at most max_rows in the end.
struct ExtraRows {
    char prefix = 0;
    std::size_t max_rows = 0;
    std::map<std::string, std::optional<std::string>> changes;  // by key; nullopt: erased
};
OperationPtr extra_rows_operation(ExtraRows rows, Done<void> done);

struct Garbage {
    BlobId blob;
    std::uint64_t owner = 0;
};
OperationPtr forget_garbage_operation(std::vector<Garbage> garbage, Done<void> done);

}  // namespace postern::mail

// What a mailbox holds, in the store's terms. Plain values.
#pragma once

#include "protocols/base/flags.h"
#include "protocols/base/ids.h"
#include "protocols/base/time.h"
#include "protocols/base/uid_set.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

inline constexpr std::size_t max_mailbox_name_bytes = 255;  // UTF-8, '/' separates levels
inline constexpr std::size_t max_mailbox_depth = 32;
inline constexpr std::size_t max_mailboxes_per_account = 1000;
inline constexpr std::size_t max_keywords_per_mailbox = 64;
inline constexpr std::size_t max_keyword_bytes = 100;
inline constexpr std::size_t max_summary_bytes = 48 * 1024;
inline constexpr std::size_t max_report_bytes = 8 * 1024;

// RFC 6154 attributes; `none` also for INBOX.
enum class SpecialUse : std::uint8_t { none, archive, drafts, junk, sent, trash };

struct MailboxInfo {
    MailboxId id;
    std::string name;  // UTF-8; "INBOX" is always spelt so
    SpecialUse special_use = SpecialUse::none;
    bool subscribed = false;
    bool selectable = true;  // false: a name that only has children (\Noselect)
};

// A new message: its whole bytes and what was computed of them once.
struct NewMessage {
    std::shared_ptr<const std::string> bytes;  // CRLF lines
    std::string summary;  // mime::encode_summary; opaque here; may be empty when too large
    std::string report;   // filter report; opaque here; may be empty
    Flags flags;
    Time internal_date;
};

struct MessageRow {
    Uid uid = 0;
    Flags flags;
    ModSeq modseq = 0;
    Time internal_date;
    Time save_date;
    std::uint64_t size = 0;  // octets of the message (RFC822.SIZE)
    BlobId blob;
    Id128 email_id;       // stable over copies and moves (RFC 8474)
    std::string summary;  // as given in NewMessage; empty when it was
};

// One consistent view of a mailbox's counters and sets.
struct MailboxState {
    MailboxId id;
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    std::uint64_t bytes = 0;  // sum of sizes
    UidSet uids;
    UidSet unseen;
    UidSet recent;  // messages that no session was told of yet
    UidSet deleted;
    std::vector<std::string> keywords;  // all that are in use
};

struct Status {
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    std::uint64_t messages = 0, unseen = 0, recent = 0, deleted = 0, bytes = 0;
};

struct Appended {
    std::uint32_t uid_validity = 0;
    Uid uid = 0;
    ModSeq modseq = 0;
};

// COPY and MOVE: source and destination UIDs, pairwise, both ascending.
struct Copied {
    std::uint32_t uid_validity = 0;
    std::vector<Uid> from;
    std::vector<Uid> to;
};

struct FlagChange {
    FlagMode mode = FlagMode::add;
    Flags flags;
    std::optional<ModSeq> unchanged_since;
};
struct FlagResult {
    std::vector<std::pair<Uid, Flags>>
        changed;      // flags after it, of each message that was named and exists
    UidSet modified;  // failed unchanged_since
    ModSeq modseq = 0;
};

// What happened after a modseq: for IDLE, NOOP and CONDSTORE/QRESYNC.
struct Changes {
    MailboxState state;
    std::vector<std::pair<Uid, Flags>> flags;  // present messages with modseq > since
    UidSet vanished;                           // expunged since; empty with complete == false
    bool complete = true;                      // false: history no longer reaches back
};

}  // namespace postern::mail

// What a mailbox holds, in the store's terms. Plain values.
#pragma once

#include "protocols/base/flags.h"
#include "protocols/base/ids.h"
#include "protocols/base/time.h"
#include "protocols/base/uid_set.h"

#include <cstddef>
#include <cstdint>
#include <map>
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
inline constexpr std::size_t max_annotation_name_bytes = 255;
inline constexpr std::size_t max_annotation_bytes = 32 * 1024;   // of one value
inline constexpr std::size_t max_annotations_per_mailbox = 200;  // all users' together
inline constexpr std::size_t max_rights_per_mailbox = 200;       // identifiers
// RFC 1939 section 7 has 70, but servers that give the names of their files go beyond, and a
// client that moves here knows its mail by those.
inline constexpr std::size_t max_uidl_bytes = 255;
inline constexpr std::size_t max_identifier_bytes = 255;
// Accounts that have changed their own \Seen in a mailbox; and the ranges of 65,536 UIDs that a
// mailbox may reach over when that is turned on or off.
inline constexpr std::size_t max_seen_accounts_per_mailbox = 200;
inline constexpr std::size_t max_seen_ranges = 50;

// Of messages that are appended in one batch: how many, their summaries and reports, and their
// different keywords. More go in several batches, up to max_appended_at_all messages.
inline constexpr std::size_t max_appended_at_all = 1000;
inline constexpr std::size_t max_appended_together = 100;
inline constexpr std::size_t max_together_bytes = 300 * 1024;
inline constexpr std::size_t max_together_keywords = 30;

// RFC 8474 ids as text. A mailbox keeps its id over renames, and one made again under an old name
// has another.
std::string mailbox_object_id(MailboxId mailbox);   // MAILBOXID
std::string email_object_id(const Id128& email);    // EMAILID
std::string thread_object_id(const Id128& thread);  // THREADID

// A mailbox as one account sees it: where each has its own \Seen (MailStore::set_own_seen), whose
// is meant. Without an account: the owner's.
struct Viewed {
    MailboxId id;
    AccountId viewer;
    // Implicit: mostly it makes no difference who looks.
    Viewed(MailboxId mailbox, AccountId account = {}) : id(mailbox), viewer(account) {}
};

// RFC 6154 attributes; `none` also for INBOX.
enum class SpecialUse : std::uint8_t { none, archive, drafts, junk, sent, trash };

struct MailboxInfo {
    MailboxId id;
    std::string name;  // UTF-8; "INBOX" is always spelt so
    SpecialUse special_use = SpecialUse::none;
    bool subscribed = false;
    bool selectable = true;  // false: a name that only has children (\Noselect)
};

// Which limit of a quota an append has to keep (see QuotaRoot).
enum class QuotaRule : std::uint8_t {
    user,      // the owner's own doing: soft limits
    incoming,  // mail that others sent: hard limits
    none,      // accepted already, or the system's own
};

// A new message: its whole bytes and what was computed of them once.
struct NewMessage {
    std::shared_ptr<const std::string> bytes;  // CRLF lines
    // mime::encode_summary, so with envelope, structures, part offsets and preview; opaque here;
    // may be empty when too large
    std::string summary;
    std::string report;  // filter report; opaque here; may be empty
    Flags flags;
    Time internal_date;
    std::string thread_root;  // mime::thread_root; empty: a thread of its own
    // The unique id in POP3 that clients know it by from another server; empty: none.
    std::string uidl;
    QuotaRule quota = QuotaRule::user;
};

// A message that goes when another one comes (RFC 8508). uid 0: none.
struct Replaced {
    MailboxId mailbox;
    Uid uid = 0;
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
    Id128 thread_id;      // the same for all messages of a thread, in any mailbox
    std::string summary;  // as given in NewMessage; empty when it was
};

// One consistent view of a mailbox's counters and sets.
struct MailboxState {
    MailboxId id;
    AccountId owner;
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    ModSeq history_from = 1;  // changes_since knows what vanished after this modseq or a later one
    std::uint64_t bytes = 0;  // sum of sizes
    UidSet uids;
    UidSet unseen;          // by whoever looks
    bool own_seen = false;  // each account has its own \Seen
    UidSet recent;          // messages that no session was told of yet
    UidSet deleted;
    std::vector<std::string> keywords;  // all that are in use
};

struct Status {
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    std::uint64_t messages = 0, unseen = 0, recent = 0, deleted = 0, bytes = 0;
    bool own_seen = false;  // each account has its own \Seen; `unseen` is by whoever looks
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
    MailboxState state;                        // without `unseen` and `deleted`
    std::vector<std::pair<Uid, Flags>> flags;  // present messages with modseq > since
    std::vector<ModSeq> modseqs;               // of each of `flags`
    UidSet vanished;                           // expunged since; empty with complete == false
    bool complete = true;                      // false: history no longer reaches back
};

// One limit that an account's mail counts against. 0: no such limit.
//
// Up to soft_bytes the owner may add mail; between soft and hard only what others send still comes
// in, so that nothing is lost while there is somebody to warn.
struct QuotaRoot {
    std::string name;  // of the pool, shared by several accounts; empty: this account's own cap
    std::uint64_t used_bytes = 0;
    std::uint64_t soft_bytes = 0;
    std::uint64_t hard_bytes = 0;
    std::uint64_t used_messages = 0;
    std::uint64_t max_messages = 0;  // holds for what others send as well
};

// A level that a pool's or an account's use has reached and nobody was told of (see
// quota_warnings).
struct QuotaWarning {
    QuotaRoot root;
    int percent = 0;        // of soft_bytes or max_messages: one of quota_warning_levels
    AccountId account;      // who is to be told
    OperationId operation;  // the same for each try of the same warning: use it for the append
};
inline constexpr int quota_warning_levels[] = {80, 95};

// RFC 5464. Names begin with "/private/" (each account its own) or "/shared/"; any case.
struct AnnotationChange {
    std::string name;
    std::optional<std::string> value;  // nullopt: taken away
};

}  // namespace postern::mail

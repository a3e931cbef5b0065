// What the IMAP engine asks of the world, in domain words, and the answers.
//
// Names of mailboxes are UTF-8 with '/' between levels; the engine speaks modified UTF-7 to the
// client. Sets are UIDs, never sequence numbers. Every answer can be a Failure: it becomes
// "NO [code] text". A name that is not there is Failure NONEXISTENT; the engine says TRYCREATE
// where the RFC wants that. Above each question stands its answer.
#pragma once

#include "protocols/base/flags.h"
#include "protocols/base/ids.h"
#include "protocols/base/time.h"
#include "protocols/base/uid_set.h"
#include "protocols/imap/rights.h"
#include "protocols/imap/search.h"
#include "protocols/imap/watch.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::imap {

struct Failure {
    std::string code;  // RFC 5530 word without brackets: "NONEXISTENT", "OVERQUOTA"...; empty: none
    std::string text;
    bool mailbox_gone = false;  // the selected mailbox is not there any more
};
struct Done {};

// -> Done. Mechanism PLAIN or LOGIN, also for the LOGIN command.
struct Authenticate {
    std::string mechanism, authorization_id, user, password;
};

// -> Done, or AuthChallenge while the exchange goes on. As in smtp::ContinueAuth.
struct ContinueAuth {
    std::string mechanism;
    std::string response;
    bool first = false;
};
struct AuthChallenge {
    std::string bytes;  // raw
};

// -> MailboxList. LIST and LSUB: all mailboxes, the engine matches patterns.
struct ListMailboxes {};
struct ListedMailbox {
    std::string name;
    std::string special_use;  // "\\Junk"; empty: none
    bool subscribed = false;
    bool exists = true;  // false: only subscribed
    bool selectable = true;
    std::string rights{all_rights};  // of whoever asks (RFC 4314)
};
struct MailboxList {
    std::vector<ListedMailbox> mailboxes;
};

// -> Done
struct CreateMailbox {
    std::string name;
    std::string special_use;
};
// -> Done
struct DeleteMailbox {
    std::string name;
};
// -> Done
struct RenameMailbox {
    std::string from, to;
};
// -> Done
struct Subscribe {
    std::string name;
    bool subscribed = true;
};
// -> StatusData
struct GetStatus {
    std::string name;
    bool deleted_bytes = false;  // else StatusData::deleted_bytes is not needed
};
struct StatusData {
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    std::uint64_t messages = 0, unseen = 0, recent = 0, deleted = 0, bytes = 0;
    std::string mailbox_id;           // RFC 8474 objectid
    std::uint64_t deleted_bytes = 0;  // of messages with \Deleted
};

// -> QuotaRoots that the mailbox counts against; an empty name: all of the account's.
struct GetQuota {
    std::string mailbox;
};
struct QuotaRoots {
    struct Root {
        std::string name;
        std::uint64_t used_bytes = 0, limit_bytes = 0;  // a limit of 0: there is none
        std::uint64_t used_messages = 0, limit_messages = 0;
    };
    std::vector<Root> roots;
};
// -> Annotations by lower-case name (RFC 5464); an empty mailbox: the account's own.
struct GetAnnotations {
    std::string mailbox;
};
struct Annotations {
    std::vector<std::pair<std::string, std::string>> entries;
};
// -> Done. nullopt takes away; all or nothing.
struct SetAnnotations {
    std::string mailbox;
    std::vector<std::pair<std::string, std::optional<std::string>>> changes;
};

// -> Acl: identifiers and their rights, the owner's among them (RFC 4314).
struct GetAcl {
    std::string mailbox;
};
struct Acl {
    std::vector<std::pair<std::string, std::string>> entries;
};
// -> Rights of whoever asks.
struct GetRights {
    std::string mailbox;
};
struct Rights {
    std::string letters;
};
// -> Grantable: which rights the identifier has whatever is set, and which can be set one by one.
struct GetGrantable {
    std::string mailbox, identifier;
};
struct Grantable {
    std::string always, each;
};
// -> Done
struct SetAcl {
    std::string mailbox, identifier;
    FlagMode mode = FlagMode::replace;
    std::string rights;
};

// -> MailboxOpened
struct OpenMailbox {
    std::string name;
    bool read_only = false;
};
struct MailboxOpened {
    std::string name;
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    UidSet uids;
    UidSet recent;         // taken by this session, unless read_only
    Uid first_unseen = 0;  // 0: none
    std::vector<std::string> keywords;
    bool read_only = false;          // likewise when the rights allow no change
    std::string mailbox_id;          // RFC 8474 objectid
    std::string rights{all_rights};  // of this user (RFC 4314)
};
// -> Done; no expunge
struct CloseMailbox {};
struct FlagNews {
    Uid uid = 0;
    Flags flags;
    ModSeq modseq = 0;
};
// -> MailboxChanges. What happened since the last answer. What this session did itself may be among
// it: the engine does not tell that twice.
struct Refresh {};
struct MailboxChanges {
    ModSeq highest_modseq = 0;
    Uid uid_next = 0;
    UidSet added;
    UidSet recent;  // of those added, taken by this session
    UidSet vanished;
    std::vector<FlagNews> flags;
    std::vector<std::string> keywords;  // all that are in use
    UidSet uids;  // all that are there now, to share their memory; may be left out
};
// -> History, of the selected mailbox as the last answer told it.
struct GetHistory {
    ModSeq since = 0;
};
struct History {
    UidSet changed;   // present messages with a higher modseq
    UidSet vanished;  // expunged since; when that is not known any more: all that are not there
};

// -> Done. Asked before the literal is taken, so that a bad mailbox costs no upload.
struct CheckAppend {
    std::string name;
    std::uint64_t size = 0;
    bool replaces = false;  // another message will go, and its room is free then
};
// -> AppendDone. The bytes came as AppendChunk effects before; messages before the last were ended
// by AppendNext effects (RFC 3502): either all are appended or none.
struct AppendMessage {
    std::string name;
    Flags flags;
    std::optional<Time> internal_date;
    Uid replaces = 0;  // of the selected mailbox: goes once the new message is there (RFC 8508)
};
struct AppendDone {
    std::uint32_t uid_validity = 0;
    std::vector<Uid> uids;  // one for each message
};
// -> RowPage of one row with its summary, or none. A message of any mailbox, for CATENATE.
struct FindMessage {
    std::string mailbox;
    std::uint32_t uid_validity = 0;  // 0: any
    Uid uid = 0;
};

// -> RowPage. Rows of those uids that still exist, ascending. At most `limit` UIDs are asked for.
struct FetchRows {
    UidSet uids;
    std::size_t limit = 64;
    bool with_summary = false;
    bool with_object_ids = false;  // else the rows' may be left empty
};
struct MessageRow {
    Uid uid = 0;
    Flags flags;
    ModSeq modseq = 0;
    Time internal_date;
    std::uint64_t size = 0;
    std::string blob;     // opaque reference, for ReadBlob and SendBlob
    std::string summary;  // mime::encode_summary; empty: read the message and compute
    Time save_date;
    std::string email_id, thread_id;  // RFC 8474 objectids; thread_id empty: none
};
struct RowPage {
    std::vector<MessageRow> rows;
};
// -> BlobBytes: fewer bytes only at the blob's end
struct ReadBlob {
    std::string blob;
    std::uint64_t offset = 0, length = 0;
};
struct BlobBytes {
    std::string bytes;
};

// -> FlagsStored. At most store_page_uids at a time.
struct StoreFlags {
    UidSet uids;
    FlagMode mode = FlagMode::replace;
    Flags flags;
    std::optional<ModSeq> unchanged_since;
    bool with_modseq = false;  // else FlagNews::modseq is not needed
    bool silent = false;       // FlagsStored::surprising is needed
};
struct FlagsStored {
    std::vector<FlagNews> changed;  // may leave out those that had these flags already
    UidSet modified;                // failed unchanged_since
    // Of those changed: their flags are not what this change alone makes of the flags that this
    // session was told last. Somebody else had a hand in them.
    UidSet surprising;
};
// -> MessagesCopied
struct CopyMessages {
    UidSet uids;
    std::string to;
    bool move = false;
    bool whole = false;  // EXPUNGEISSUED and no copy when one of them is gone
};
struct MessagesCopied {
    std::uint32_t uid_validity = 0;
    std::vector<Uid> from, to;  // pairwise, both ascending
};
// -> Expunged. UIDs of `among` (empty optional: of all) that carry \Deleted are removed.
struct ExpungeMessages {
    std::optional<UidSet> among;
};
struct Expunged {
    UidSet uids;
    ModSeq modseq = 0;
};
// -> SearchResult
struct Search {
    SearchKey program;
    ModSeqOf modseq_of = ModSeqOf::none;
    bool with_relevancy = false;
};
struct SearchResult {
    UidSet uids;
    ModSeq highest_modseq = 0;              // among those that modseq_of names
    std::map<Uid, std::uint8_t> relevancy;  // 1 to 100 (RFC 6203); with_relevancy alone
};
// -> Sorted
struct Sort {
    SearchKey program;
    std::vector<SortKey> keys;
    ModSeqOf modseq_of = ModSeqOf::none;
    bool with_relevancy = false;
    std::optional<PartialRange> part;  // no more is wanted of what is found; more may be told
};
struct Sorted {
    std::vector<Uid> uids;
    std::uint64_t count = 0;    // of all that was found; 0: as many as are told
    std::uint64_t skipped = 0;  // found and not told, before the first that is
    ModSeq highest_modseq = 0;  // likewise
    std::map<Uid, std::uint8_t> relevancy;
};
// -> Threads
struct Thread {
    SearchKey program;
    ThreadAlgorithm algorithm = ThreadAlgorithm::references;
};
// A message, or with uid 0 one that is missing, and what answers it. The vector holds parents
// before their children.
struct ThreadNode {
    Uid uid = 0;
    int parent = -1;  // index; -1: a thread begins
};
struct Threads {
    std::vector<ThreadNode> nodes;
};
// -> Done. From now on news of what the groups name are gathered, instead of those before; no
// groups: none are. `status`: the first News tell the status of each mailbox with message events.
// A Failure leaves what was watched before.
struct Watch {
    std::vector<WatchGroup> groups;
    bool status = false;
};
// -> News since the last answer, but for what this session did itself and for the messages of the
// selected mailbox. At most max_news_items.
struct GetNews {};
struct News {
    struct Status {
        std::string mailbox;
        StatusData data;
        bool messages = false, flags = false;  // what may have changed
        bool first = false;                    // asked for by Watch::status
    };
    struct Name {
        ListedMailbox mailbox;  // as it is now
        bool has_children = false;
        std::string old_name;  // empty: it was not renamed
    };
    struct Metadata {
        std::string mailbox;  // empty: the account's own
        std::vector<std::string> entries;
    };
    std::vector<std::variant<Status, Name, Metadata>> items;
    bool more = false;
    bool overflow = false;  // too much to watch: nothing is watched any more
};
// Instead of the answer to a question that takes long (RFC 9585): so much of it is done, and the
// engine asks GoOn. `goal` 0: nobody knows how much there is.
struct Progress {
    std::uint64_t done = 0, goal = 0;
};
// -> The answer to the question that was answered with Progress, or Progress once more.
struct GoOn {};

// -> Done. The session belongs to nobody again (RFC 8437).
struct Unauthenticate {};

using Question =
    std::variant<Authenticate, ContinueAuth, ListMailboxes, CreateMailbox, DeleteMailbox,
                 RenameMailbox, Subscribe, GetStatus, OpenMailbox, CloseMailbox, Refresh,
                 GetHistory, CheckAppend, AppendMessage, FindMessage, FetchRows, ReadBlob,
                 StoreFlags, CopyMessages, ExpungeMessages, Search, Sort, Thread, Unauthenticate,
                 GetQuota, GetAnnotations, SetAnnotations, GetAcl, GetRights, GetGrantable, SetAcl,
                 Watch, GetNews, GoOn>;
using Answer = std::variant<AuthChallenge, Failure, Done, MailboxList, StatusData, MailboxOpened,
                            MailboxChanges, History, AppendDone, RowPage, BlobBytes, FlagsStored,
                            MessagesCopied, Expunged, SearchResult, Sorted, Threads, QuotaRoots,
                            Annotations, Acl, Rights, Grantable, News, Progress>;

}  // namespace postern::imap

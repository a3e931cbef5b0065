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
#include "protocols/imap/search.h"

#include <cstddef>
#include <cstdint>
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
};
struct Done {};

// -> Done. Mechanism PLAIN or LOGIN, also for the LOGIN command.
struct Authenticate {
    std::string mechanism, authorization_id, user, password;
};

// -> MailboxList. LIST and LSUB: all mailboxes, the engine matches patterns.
struct ListMailboxes {};
struct ListedMailbox {
    std::string name;
    std::string special_use;  // "\\Junk"; empty: none
    bool subscribed = false;
    bool exists = true;  // false: only subscribed
    bool selectable = true;
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
};
struct StatusData {
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    std::uint64_t messages = 0, unseen = 0, recent = 0, deleted = 0, bytes = 0;
};

// -> MailboxOpened
struct OpenMailbox {
    std::string name;
    bool read_only = false;
};
struct MailboxOpened {
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    UidSet uids;
    UidSet recent;         // taken by this session, unless read_only
    Uid first_unseen = 0;  // 0: none
    std::vector<std::string> keywords;
    bool read_only = false;
};
// -> Done; no expunge
struct CloseMailbox {};
// -> MailboxChanges. What happened since the last answer. What this session did itself may be among
// it: the engine does not tell that twice.
struct Refresh {};
struct MailboxChanges {
    ModSeq highest_modseq = 0;
    Uid uid_next = 0;
    UidSet added;
    UidSet recent;  // of those added, taken by this session
    UidSet vanished;
    std::vector<std::pair<Uid, Flags>> flags;
    std::vector<std::string> keywords;  // all that are in use
};

// -> Done. Asked before the literal is taken, so that a bad mailbox costs no upload.
struct CheckAppend {
    std::string name;
    std::uint64_t size = 0;
};
// -> AppendDone. The bytes came as AppendChunk effects before.
struct AppendMessage {
    std::string name;
    Flags flags;
    std::optional<Time> internal_date;
};
struct AppendDone {
    std::uint32_t uid_validity = 0;
    Uid uid = 0;
};

// -> RowPage. Rows of those uids that still exist, ascending. At most `limit` UIDs are asked for.
struct FetchRows {
    UidSet uids;
    std::size_t limit = 64;
    bool with_summary = false;
};
struct MessageRow {
    Uid uid = 0;
    Flags flags;
    ModSeq modseq = 0;
    Time internal_date;
    std::uint64_t size = 0;
    std::string blob;     // opaque reference, for ReadBlob and SendBlob
    std::string summary;  // mime::encode_summary; empty: read the message and compute
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
};
struct FlagsStored {
    std::vector<std::pair<Uid, Flags>> changed;  // may leave out those that had these flags already
    UidSet modified;
    ModSeq modseq = 0;
};
// -> MessagesCopied
struct CopyMessages {
    UidSet uids;
    std::string to;
    bool move = false;
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
};
struct SearchResult {
    UidSet uids;
    ModSeq highest_modseq = 0;
};

using Question = std::variant<Authenticate, ListMailboxes, CreateMailbox, DeleteMailbox,
                              RenameMailbox, Subscribe, GetStatus, OpenMailbox, CloseMailbox,
                              Refresh, CheckAppend, AppendMessage, FetchRows, ReadBlob, StoreFlags,
                              CopyMessages, ExpungeMessages, Search>;
using Answer =
    std::variant<Failure, Done, MailboxList, StatusData, MailboxOpened, MailboxChanges, AppendDone,
                 RowPage, BlobBytes, FlagsStored, MessagesCopied, Expunged, SearchResult>;

}  // namespace postern::imap

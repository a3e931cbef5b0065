// Every IMAP command as a value, ready to be carried out: names decoded, flags parsed, sequence
// sets not yet resolved.
#pragma once

#include "protocols/base/flags.h"
#include "protocols/base/ids.h"
#include "protocols/base/time.h"
#include "protocols/imap/search.h"
#include "protocols/imap/sequence_set.h"
#include "protocols/imap/watch.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace postern::imap {

inline constexpr std::size_t max_fetch_items = 256;
inline constexpr std::size_t max_search_contexts = 16;  // of one session

// One thing that FETCH was asked for.
struct FetchItem {
    enum class Kind : std::uint8_t {
        flags,
        internal_date,
        size,
        envelope,
        body,
        body_structure,
        uid,
        section,
        mod_seq,      // RFC 7162
        binary,       // RFC 3516: a section with its transfer encoding undone
        binary_size,  // likewise
        save_date,    // RFC 8514
        preview,      // RFC 8970
        email_id,     // RFC 8474
        thread_id,
    };
    enum class Text : std::uint8_t { whole, header, fields, fields_not, text, mime };
    struct Partial {
        std::uint32_t origin = 0;
        std::uint32_t size = 0;
    };

    Kind kind = Kind::flags;
    std::string label;  // as it stands in the response: "BODY[1.TEXT]<0>"
    // Kinds section, binary and binary_size:
    std::string part;  // "1.2"; empty: the message
    Text text = Text::whole;
    std::vector<std::string> fields;
    std::optional<Partial> partial;
    bool peek = false;  // does not set \Seen
};

// What SEARCH and SORT shall answer (RFC 4731, 5182, 5267, 9394).
struct SearchReturn {
    bool extended = false;  // RETURN stood there: the answer is ESEARCH
    bool min = false, max = false, all = false, count = false;
    bool save = false;
    // RFC 5267: later changes of the result are told, with these items of what is new (RFC 5465
    // section 7).
    bool update = false;
    std::vector<FetchItem> update_items;
    bool relevancy = false;
    std::optional<PartialRange> partial;
    // Whether anything but SAVE was asked for.
    bool shows() const { return min || max || all || count || relevancy || partial.has_value(); }
};

// A SEARCH program whose keys of kind `uids` hold in `number` an index into terms, and whose keys
// of kind `age` hold in `number` seconds before now.
struct SearchProgram {
    struct Term {
        enum class Kind : std::uint8_t { positions, uids, recent };
        Kind kind = Kind::positions;
        SequenceSet set;
    };
    SearchKey root;
    std::vector<Term> terms;
    bool tells_modseq = false;  // a MODSEQ key stood there: the answer holds one
};

namespace command {

struct Capability {};
struct Noop {};  // also CHECK: nothing here waits to be written
struct Logout {};
struct StartTls {};
struct Authenticate {
    std::string mechanism;
    std::optional<std::string> initial_response;
};
struct Login {
    std::string user, password;
};
struct Id {
    std::string text;  // what the client says of itself, for the log
};
struct Enable {
    std::vector<std::string> capabilities;  // in capitals
};
struct Compress {};
struct Unauthenticate {};
struct Namespace {};
struct Idle {};

struct Select {
    std::string name;
    bool read_only = false;
    bool condstore = false;
    struct Qresync {  // RFC 7162 section 3.2.5
        std::uint32_t uid_validity = 0;
        ModSeq modseq = 0;
        std::optional<SequenceSet> known;
    };
    std::optional<Qresync> qresync;
};
struct Create {
    std::string name;
    std::string special_use;
};
struct Delete {
    std::string name;
};
struct Rename {
    std::string from, to;
};
struct Subscribe {
    std::string name;
    bool subscribed = true;
};
struct Status {
    enum class Item : std::uint8_t {
        messages,
        recent,
        uid_next,
        uid_validity,
        unseen,
        deleted,
        deleted_storage,  // RFC 9208
        size,
        highest_modseq,
        append_limit,
        mailbox_id,
    };
    std::string name;
    std::vector<Item> items;
};
struct List {
    enum class Form : std::uint8_t { list, lsub, xlist };
    Form form = Form::list;
    std::vector<std::string> patterns;  // with the reference in front; one empty: the separator
    bool only_special_use = false;
    bool only_subscribed = false;
    bool recursive_match = false;
    bool extended = false;  // options stood there (RFC 5258)
    bool return_subscribed = false;
    bool return_special_use = false;
    std::vector<Status::Item> status;   // RFC 5819
    bool return_rights = false;         // RFC 8440
    std::vector<std::string> metadata;  // entries (RFC 9590)
};
// Everything before a message's first literal or URL. APPEND, and REPLACE (RFC 8508).
struct Append {
    std::string name;
    Flags flags;
    std::optional<Time> internal_date;
    std::optional<SequenceSet> replaces;  // one message
    bool uid = false;
    bool utf8 = false;      // UTF8 ( literal8 )
    bool catenate = false;  // CATENATE ( parts )
    bool literal8 = false;  // the message may hold NUL (RFC 3516)
};

struct GetQuota {
    std::string name;         // a quota root, or
    bool is_mailbox = false;  // a mailbox (GETQUOTAROOT)
};
struct GetMetadata {
    std::string name;                  // empty: the account's own
    std::vector<std::string> entries;  // lower case
    std::optional<std::uint64_t> max_size;
    unsigned depth = 0;
};
struct SetMetadata {
    std::string name;
    std::vector<std::pair<std::string, std::optional<std::string>>> changes;
};

// ACL (RFC 4314). Rights are letters, c and d resolved.
struct GetAcl {
    std::string name;
};
struct MyRights {
    std::string name;
};
struct ListRights {
    std::string name, identifier;
};
struct SetAcl {
    std::string name, identifier;
    FlagMode mode = FlagMode::replace;
    std::string rights;
    bool is_delete = false;  // DELETEACL: no rights are left
};

// NOTIFY (RFC 5465).
struct Notify {
    struct Selected {
        bool messages = false, flags = false;
        bool delayed = false;          // EXPUNGE waits for a command that allows it
        std::vector<FetchItem> items;  // told of each new message
    };
    bool set = false;  // else NONE
    bool status = false;
    std::optional<Selected> selected;
    std::vector<WatchGroup> groups;
};

struct Close {};
struct Unselect {};
struct Expunge {
    std::optional<SequenceSet> uids;
};
struct Search {
    SearchProgram program;
    bool uid = false;
    SearchReturn returns;
    std::vector<SortKey> sort;  // SORT (RFC 5256)
    std::optional<ThreadAlgorithm> thread;
};
struct CancelUpdate {
    std::vector<std::string> tags;
};
struct Fetch {
    SequenceSet set;
    bool uid = false;
    std::vector<FetchItem> items;
    std::optional<ModSeq> changed_since;
    bool vanished = false;
    std::optional<PartialRange> partial;
};
struct Store {
    SequenceSet set;
    bool uid = false;
    FlagMode mode = FlagMode::replace;
    bool silent = false;
    Flags flags;
    std::optional<ModSeq> unchanged_since;
};
struct Copy {
    SequenceSet set;
    bool uid = false;
    std::string to;
    bool move = false;
};

using Any = std::variant<GetAcl, MyRights, ListRights, SetAcl, GetQuota, GetMetadata, SetMetadata,
                         Capability, Noop, Logout, StartTls, Authenticate, Login, Id, Enable,
                         Compress, Unauthenticate, Namespace, Idle, Select, Create, Delete, Rename,
                         Subscribe, List, Status, Notify, CancelUpdate, Close, Unselect, Expunge,
                         Search, Fetch, Store, Copy>;

}  // namespace command
}  // namespace postern::imap

// Every IMAP command as a value, ready to be carried out: names decoded, flags parsed, sequence
// sets not yet resolved.
#pragma once

#include "protocols/base/flags.h"
#include "protocols/base/time.h"
#include "protocols/imap/search.h"
#include "protocols/imap/sequence_set.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace postern::imap {

inline constexpr std::size_t max_fetch_items = 256;

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
    };
    enum class Text : std::uint8_t { whole, header, fields, fields_not, text, mime };
    struct Partial {
        std::uint32_t origin = 0;
        std::uint32_t size = 0;
    };

    Kind kind = Kind::flags;
    std::string label;  // as it stands in the response: "BODY[1.TEXT]<0>"
    // Kind section alone:
    std::string part;  // "1.2"; empty: the message
    Text text = Text::whole;
    std::vector<std::string> fields;
    std::optional<Partial> partial;
    bool peek = false;  // does not set \Seen
};

// A SEARCH program whose keys of kind `uids` hold in `number` an index into terms.
struct SearchProgram {
    struct Term {
        enum class Kind : std::uint8_t { positions, uids, recent };
        Kind kind = Kind::positions;
        SequenceSet set;
    };
    SearchKey root;
    std::vector<Term> terms;
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
struct Id {};
struct Enable {};
struct Namespace {};
struct Idle {};

struct Select {
    std::string name;
    bool read_only = false;
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
struct List {
    std::string pattern;  // with the reference in front; empty: asks for the separator
    bool lsub = false;
    bool only_special_use = false;
    bool only_subscribed = false;
    bool return_subscribed = false;
};
struct Status {
    enum class Item : std::uint8_t { messages, recent, uid_next, uid_validity, unseen };
    std::string name;
    std::vector<Item> items;
};
// Everything before the message literal.
struct Append {
    std::string name;
    Flags flags;
    std::optional<Time> internal_date;
};

struct Close {};
struct Unselect {};
struct Expunge {
    std::optional<SequenceSet> uids;
};
struct Search {
    SearchProgram program;
    bool uid = false;
};
struct Fetch {
    SequenceSet set;
    bool uid = false;
    std::vector<FetchItem> items;
};
struct Store {
    SequenceSet set;
    bool uid = false;
    FlagMode mode = FlagMode::replace;
    bool silent = false;
    Flags flags;
};
struct Copy {
    SequenceSet set;
    bool uid = false;
    std::string to;
    bool move = false;
};

using Any = std::variant<Capability, Noop, Logout, StartTls, Authenticate, Login, Id, Enable,
                         Namespace, Idle, Select, Create, Delete, Rename, Subscribe, List, Status,
                         Close, Unselect, Expunge, Search, Fetch, Store, Copy>;

}  // namespace command
}  // namespace postern::imap

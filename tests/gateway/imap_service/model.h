// A simple account to compare the real one with: mailboxes as maps, one change at a time.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/uid_set.h"

#include <map>
#include <set>
#include <string>

namespace postern::imap_service {

using ModelFlags = std::set<std::string>;

// Where each person has an own \Seen it stands as "\Seen" and the person's name; `who` is empty
// where it is common.
inline ModelFlags as_seen_by(const ModelFlags& flags, const std::string& who) {
    ModelFlags out;
    for (const auto& flag : flags) {
        if (!flag.starts_with("\\Seen")) out.insert(flag);
    }
    if (flags.count("\\Seen" + who) != 0) out.insert("\\Seen");
    return out;
}
// `flags` once `who` has made `theirs` of what it sees.
inline ModelFlags changed_by(const ModelFlags& flags, ModelFlags theirs, const std::string& who) {
    const bool seen = theirs.erase("\\Seen") != 0;
    for (const auto& flag : flags) {
        if (flag.starts_with("\\Seen") && flag != "\\Seen" + who) theirs.insert(flag);
    }
    if (seen) theirs.insert("\\Seen" + who);
    return theirs;
}

struct ModelMailbox {
    std::map<Uid, ModelFlags> messages;
    Uid uid_next = 1;

    UidSet uids() const {
        UidSet out;
        for (const auto& [uid, flags] : messages) out.add(uid);
        return out;
    }
};

using Model = std::map<std::string, ModelMailbox>;

}  // namespace postern::imap_service

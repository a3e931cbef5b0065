// A simple account to compare the real one with: mailboxes as maps, one change at a time.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/uid_set.h"

#include <map>
#include <set>
#include <string>

namespace postern::imap_service {

using ModelFlags = std::set<std::string>;

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

// What a client that was here before must learn (RFC 7162 section 3.2).
#pragma once

#include "protocols/imap/session.h"

#include <functional>

namespace postern::imap {

// Every UID that a set names; "*" is the largest there can be.
UidSet named_uids(const SequenceSet& set);
// "* VANISHED (EARLIER) ..."; nothing when the set is empty.
void send_vanished_earlier(Session& session, const UidSet& uids);
// FETCH lines with UID, FLAGS and MODSEQ of those, then `done`; or `failed`.
void fetch_changes(Session& session, const UidSet& uids, std::function<void()> done,
                   std::function<void(const Failure&)> failed);
// Tells `items` of these messages, which NOTIFY and contexts want told of new ones.
void fetch_news(Session& session, const UidSet& uids, const std::vector<FetchItem>& items,
                std::function<void()> done);

}  // namespace postern::imap

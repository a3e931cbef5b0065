// How many messages one command works on (RFC 9738). Internal to protocols/imap.
#pragma once

#include "protocols/imap/session.h"

#include <string>

namespace postern::imap {

inline constexpr const char* too_many_messages_text = "These are too many messages at once";

// The response code MESSAGELIMIT; lowest 0: nothing was done.
std::string message_limit_code(const Session& session, Uid lowest = 0);

// Leaves of `uids` as many as one command may work on, the highest. Returns the response code that
// tells so; empty: all are left.
std::string cut_to_message_limit(const Session& session, UidSet& uids);

// Tells the code in the tagged OK, or before it where that has another one already.
void ok_within_limit(Session& session, std::string text, std::string code,
                     const std::string& limit_code);

}  // namespace postern::imap

// Results of SEARCH that are kept up to date (RFC 5267).
#pragma once

#include "protocols/imap/session.h"

#include <functional>

namespace postern::imap {

// The program with UIDs in place of what the client's view and clock alone know. `positions`: what
// sequence numbers stand for, by term, where they are not to be looked up now.
SearchKey resolve_program(Session& session, const SearchProgram& program,
                          const std::vector<UidSet>* positions = nullptr);

// Begins one for a command that asked for it and whose result is `found`.
void open_context(Session& session, const command::Search& command, const UidSet& found);
// Before the client is told that these are expunged.
void tell_removed(Session& session, const UidSet& gone);
// After it was told what changed.
void tell_updates(Session& session, const UidSet& changed, std::function<void()> then);

}  // namespace postern::imap

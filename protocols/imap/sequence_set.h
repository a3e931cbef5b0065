// A sequence-set as the client wrote it (RFC 3501 section 9): numbers and ranges, "*" the largest.
#pragma once

#include "protocols/base/uid_set.h"
#include "protocols/imap/lexer.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::imap {

struct SequenceSet {
    static constexpr std::uint32_t star = 0;                      // 0 is no valid number
    std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;  // in either order
    bool saved = false;  // "$": the result of the last SEARCH RETURN (SAVE) (RFC 5182)
};

// nullopt: not a sequence-set, or more than max_sequence_ranges.
std::optional<SequenceSet> parse_sequence_set(Lexer& lexer);

// UIDs of `uids` whose 1-based positions are named; nullopt when a position does not exist. "1:*"
// of an empty set is empty.
std::optional<UidSet> resolve_positions(const SequenceSet& set, const UidSet& uids);
// Likewise, but a position that does not exist is passed over.
UidSet resolve_existing_positions(const SequenceSet& set, const UidSet& uids);
// Those of `uids` that are named; what does not exist is passed over.
UidSet resolve_uids(const SequenceSet& set, const UidSet& uids);

}  // namespace postern::imap

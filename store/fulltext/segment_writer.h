// Changes one segment: a Xapian database with the messages of a stretch of UIDs, document = UID.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/fulltext/text.h"

#include <xapian.h>

#include <cstdint>
#include <string>
#include <unordered_set>

namespace postern::fulltext {

// A message with more different terms is not indexed: each search reads it.
inline constexpr std::size_t max_message_terms = 20'000;
// Postings that are kept in memory before they are written: about 64 bytes each.
inline constexpr std::size_t max_pending_postings = 1'000'000;

// Not thread-safe. Errors: corrupt, unavailable.
class SegmentWriter {
public:
    // Made when missing.
    static Result<SegmentWriter> open(const std::string& folder, std::uint32_t uid_validity);

    const UidSet& uids() const { return uids_; }
    std::uint32_t uid_validity() const { return validity_; }
    // Durable at the next commit, or earlier.
    Result<void> add(Uid uid, const Text& text);
    Result<void> remove(const UidSet& uids);
    Result<void> commit();

private:
    SegmentWriter() = default;
    void list(std::string_view word);
    void unlist(std::string_view word);
    void flush();

    Xapian::WritableDatabase database_;
    UidSet uids_;
    std::uint32_t validity_ = 0;
    std::size_t pending_ = 0;
    std::unordered_set<std::string> listed_;  // lately; so that they are not looked up again
};

// Rewrites a segment that nobody has open for writing in the least space. A crash leaves the old
// one, the new one, or none. Errors: corrupt, unavailable.
Result<void> compact_segment(const std::string& folder);

}  // namespace postern::fulltext

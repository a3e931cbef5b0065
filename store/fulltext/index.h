// The full-text index of one mailbox: which messages hold a text, without reading them.
//
// The index may say "must be read" but never errs: a message is `sure` only when its text holds the
// needle, and in neither set only when it does not. It knows the messages of covered() alone; all
// others have to be read. It is a copy of what the store holds, and may be removed at any time.
//
// A folder of segments, each a Xapian database for segment_messages messages in the order of their
// UIDs, so that adding one costs the same whatever the mailbox holds, and damage in one leaves the
// others of use.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/fulltext/text.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace postern::fulltext {

inline constexpr std::size_t segment_messages = 10'000;

// Not thread-safe; any number of readers beside one writer, in any process.
class Index {
public:
    // A folder that is missing, or of another uid_validity, covers nothing.
    static std::unique_ptr<Index> open(const std::string& folder, std::uint32_t uid_validity);
    virtual ~Index() = default;

    virtual const UidSet& covered() const = 0;
    // Of `among`; what is not covered is possible. An empty needle: all are possible.
    virtual Match find(Field field, std::string_view needle, const UidSet& among) = 0;
    // Why segments could not be used; empty: none was damaged.
    virtual const std::string& damage() const = 0;
};

// Not thread-safe.
class IndexWriter {
public:
    // Segments that are damaged or of another uid_validity are removed. Errors: conflict (another
    // writer is at work), unavailable.
    static Result<std::unique_ptr<IndexWriter>> open(const std::string& folder,
                                                     std::uint32_t uid_validity);
    virtual ~IndexWriter() = default;

    virtual const UidSet& covered() const = 0;
    // Best in ascending order. Errors: unavailable, corrupt.
    virtual Result<void> add(Uid uid, const Text& text) = 0;
    virtual Result<void> remove(const UidSet& uids) = 0;
    // Durable after it.
    virtual Result<void> commit() = 0;
};

// Harmless when there is none. Errors: unavailable.
Result<void> remove_index(const std::string& folder);

}  // namespace postern::fulltext

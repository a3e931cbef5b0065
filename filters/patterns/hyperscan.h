// Hyperscan's handles with owners, for the matcher alone.
#pragma once

#include "protocols/base/result.h"

#include <hs/hs.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace postern::filters {

struct FreeDatabase {
    void operator()(hs_database_t* database) const { hs_free_database(database); }
};
using Database = std::unique_ptr<hs_database_t, FreeDatabase>;

// Working memory of one scan at a time; grown to fit whatever database it is used with, all of
// which must outlive it.
struct Scratch {
    Scratch() = default;
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { hs_free_scratch(handle); }
    hs_scratch_t* handle = nullptr;
    // Growing checks the whole database's sum, which takes longer than to scan a message.
    std::unordered_set<const hs_database_t*> fits;
};

struct Pattern {
    std::string pattern;
    unsigned flags = 0;
};

// Matches carry the index of their pattern as id. Errors: invalid; culprit is then the index of
// the pattern at fault when that is known.
Result<Database> compile_database(const std::vector<Pattern>& patterns, std::size_t& culprit);

// Throws std::bad_alloc when there is no memory for the scratch.
void scan_text(const Database& database, Scratch& scratch, std::string_view text,
               match_event_handler on_match, void* context);

std::size_t database_bytes(const Database& database);

// The library's version and what it would compile for on this processor.
std::string platform_name();

// Errors: unavailable.
Result<std::string> serialize_database(const Database& database);
// nullptr: the bytes are no database of this library and processor. They must be as serialized:
// the library does not stand bytes that were tampered with.
Database deserialize_database(std::string_view bytes);

}  // namespace postern::filters

// What a store holds and what it takes on disk, by kind.
#pragma once

#include "store/care/backup.h"
#include "store/kv/kv.h"

#include <cstdint>

namespace postern::care {

struct Stats {
    std::uint64_t accounts = 0, mailboxes = 0, messages = 0, bodies = 0, shared_bodies = 0;
    std::uint64_t message_bytes = 0;  // as users see it: every message in every mailbox
    std::uint64_t unique_bytes = 0;   // each body once
    std::uint64_t body_bytes = 0;     // as stored
    std::uint64_t row_bytes = 0, summary_bytes = 0, report_bytes = 0, bitmap_bytes = 0,
                  history_bytes = 0, other_bytes = 0;
    kv::Space space;
};

// Reads all rows, but no body. Errors: unavailable.
Result<Stats> measure(kv::Store& store, const Progress& progress);

}  // namespace postern::care

// What a store holds and what it takes on disk, by kind.
#pragma once

#include "store/care/backup.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>

namespace postern::care {

inline constexpr std::size_t max_measured_bodies = 1000;  // read for without_dictionary_bytes

struct Stats {
    std::uint64_t accounts = 0, mailboxes = 0, messages = 0, bodies = 0, shared_bodies = 0;
    std::uint64_t message_bytes = 0;  // as users see it: every message in every mailbox
    std::uint64_t unique_bytes = 0;   // each body once
    std::uint64_t single_bytes = 0;   // and each large part once: what there would be without zstd
    std::uint64_t body_bytes = 0;     // as stored, less the parts that stand outside
    std::uint64_t parts = 0, part_uses = 0, part_bytes = 0;  // bytes as stored
    std::uint64_t dictionaries = 0, dictionary_bytes = 0;
    // body_bytes without dictionaries, reckoned from some bodies.
    std::uint64_t without_dictionary_bytes = 0;
    std::uint64_t row_bytes = 0, summary_bytes = 0, report_bytes = 0, bitmap_bytes = 0,
                  history_bytes = 0, other_bytes = 0;
    kv::Space space;
};

// Reads all rows, and some bodies. Errors: unavailable.
Result<Stats> measure(kv::Store& store, const Progress& progress);

}  // namespace postern::care

// The durable log of what the filter was told: one ordered list of jobs in the store, behind the
// snapshot of the models (see learning.h). Appended to by any process, trimmed only by the one that
// holds the instance lock.
//
// Rows on shard {learn_log}: "h" the last sequence number given out, "t" the last one trimmed away,
// "e" + number the jobs. Numbers are 8 bytes, big-endian.
//
// Thread rule: any function from any thread except the store's own. All wait for durability.
#pragma once

#include "filters/models/models.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"
#include "store/kv/kv.h"

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::learning {

inline constexpr std::size_t max_learn_who_bytes = 320;  // longer names are cut

enum class LearnAction : std::uint8_t { ham = 0, spam = 1, unlearn = 2 };

struct LearnJob {
    LearnAction action = LearnAction::ham;
    filters::FeatureVector features;
    std::string who;  // an address, or "command line"; for the admin
    Time when;
};

// At most kv::max_value_bytes.
std::string encode_job(const LearnJob& job);
Result<LearnJob> decode_job(std::string_view bytes);

struct LoggedJob {
    std::uint64_t number = 0;  // first is 1
    LearnJob job;
};
struct LogPage {
    std::vector<LoggedJob> jobs;  // ascending; empty: nothing newer
    std::uint64_t trimmed =
        0;                   // jobs up to this one are gone; over `after`: the reader missed some
    std::uint64_t last = 0;  // the newest number in the log
    std::uint64_t unreadable = 0;  // jobs that did not decode and were left out
    std::uint64_t next_after = 0;  // pass to the next read()
};

class LearnLog {
public:
    // `store` must outlive this.
    explicit LearnLog(kv::Store& store) : store_(store) {}

    // All jobs, in order; when it fails a beginning of them may have been appended. Appending the
    // same again is harmless, since models know a message by its digest. Errors: too_large (a
    // single job), conflict (too many writers at once), unavailable.
    Result<void> append(std::span<const LearnJob> jobs);

    // Jobs numbered over `after`, a bounded page of them.
    Result<LogPage> read(std::uint64_t after);

    // Drops jobs up to and including `number`.
    Result<void> trim(std::uint64_t number);

private:
    Result<std::uint64_t> number_at(std::string_view key);
    Result<void> commit(std::vector<kv::Operation> operations, std::string_view guard,
                        std::uint64_t old_number, std::uint64_t new_number);

    kv::Store& store_;
    std::mutex appending_;  // appends of this process go one after another, to not conflict with
                            // themselves
};

}  // namespace postern::learning

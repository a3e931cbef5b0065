#include "gateway/learning/learn_log.h"

#include "store/kv/random_id.h"

#include <algorithm>
#include <utility>

namespace postern::learning {

namespace {

constexpr kv::ShardId log_shard{kv::ShardKind::learn_log, 0, 0};
constexpr std::string_view head_key = "h";
constexpr std::string_view trimmed_key = "t";
constexpr char entry_prefix = 'e';
constexpr std::size_t entry_key_bytes = 1 + 8;
// Room in a batch for the counter.
constexpr std::size_t batch_bytes = kv::max_batch_bytes - 1024;
constexpr std::size_t batch_operations = kv::max_batch_operations - 1;
constexpr std::size_t page_rows = 64;
constexpr int max_attempts = 20;

std::string number_bytes(std::uint64_t number) {
    std::string out(8, '\0');
    for (int i = 7; i >= 0; --i, number >>= 8)
        out[static_cast<std::size_t>(i)] = static_cast<char>(number);
    return out;
}

std::uint64_t number_of(std::string_view bytes) {
    std::uint64_t number = 0;
    for (const char c : bytes.substr(0, 8)) number = number << 8 | static_cast<unsigned char>(c);
    return number;
}

std::string entry_key(std::uint64_t number) {
    return entry_prefix + number_bytes(number);
}

// How many of `jobs`, from the first on, fit into one batch; at least one of a non-empty list.
std::size_t fitting(std::span<const std::string> jobs) {
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (const auto& job : jobs.first(std::min(jobs.size(), batch_operations))) {
        bytes += job.size() + entry_key_bytes;
        if (bytes > batch_bytes) break;
        ++count;
    }
    return count;
}

}  // namespace

Result<std::uint64_t> LearnLog::number_at(std::string_view key) {
    auto value = store_.get(log_shard, key);
    if (!value) return value.error();
    if (!value->has_value()) return 0;
    if ((*value)->size() != 8) return Error{Errc::corrupt, "learn log counter unreadable"};
    return number_of(**value);
}

Result<void> LearnLog::commit(std::vector<kv::Operation> operations, std::string_view guard,
                              std::uint64_t old_number, std::uint64_t new_number) {
    kv::Batch batch;
    batch.shard = log_shard;
    batch.operation = kv::random_id();
    kv::Precondition unchanged{std::string(guard), {}};
    if (old_number != 0) unchanged.equals = number_bytes(old_number);
    batch.preconditions.push_back(std::move(unchanged));
    batch.operations = std::move(operations);
    batch.operations.emplace_back(kv::Put{std::string(guard), number_bytes(new_number)});
    const auto outcome = store_.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    if (*outcome == kv::Outcome::conflict)
        return Error{Errc::conflict, "learn log is busy; try again"};
    return {};
}

Result<void> LearnLog::append(std::span<const LearnJob> jobs) {
    std::vector<std::string> encoded;
    encoded.reserve(jobs.size());
    for (const auto& job : jobs) encoded.push_back(encode_job(job));
    const std::lock_guard lock(appending_);
    std::span<const std::string> rest(encoded);
    int attempts = 0;
    while (!rest.empty()) {
        auto head = number_at(head_key);
        if (!head) return head.error();
        const auto count = fitting(rest);
        std::vector<kv::Operation> operations;
        for (std::size_t i = 0; i < count; ++i) {
            operations.emplace_back(kv::Put{entry_key(*head + 1 + i), rest[i]});
        }
        auto done = commit(std::move(operations), head_key, *head, *head + count);
        if (done) {
            rest = rest.subspan(count);
            attempts = 0;
        } else if (done.error().code != Errc::conflict || ++attempts == max_attempts) {
            return done.error();
        }
    }
    return {};
}

Result<LogPage> LearnLog::read(std::uint64_t after) {
    auto rows =
        store_.scan(log_shard, entry_key(after + 1), std::string(1, entry_prefix + 1), page_rows);
    if (!rows) return rows.error();
    LogPage page;
    page.next_after = after;
    for (const auto& row : rows->rows) {
        page.next_after = number_of(std::string_view(row.key).substr(1));
        auto job = decode_job(row.value);
        if (job) {
            page.jobs.push_back({page.next_after, std::move(*job)});
        } else {
            ++page.unreadable;
        }
    }
    // Read after the rows: a trim in between must be seen, else the reader would miss jobs
    // unknowingly.
    auto trimmed = number_at(trimmed_key);
    if (!trimmed) return trimmed.error();
    auto head = number_at(head_key);
    if (!head) return head.error();
    page.trimmed = *trimmed;
    page.last = *head;
    return page;
}

Result<void> LearnLog::trim(std::uint64_t number) {
    for (;;) {
        auto rows = store_.scan(log_shard, entry_key(0), entry_key(number + 1), page_rows);
        if (!rows) return rows.error();
        if (rows->rows.empty()) return {};
        auto old = number_at(trimmed_key);
        if (!old) return old.error();
        const auto reached = number_of(std::string_view(rows->rows.back().key).substr(1));
        std::vector<kv::Operation> operations;
        for (auto& row : rows->rows) operations.emplace_back(kv::Erase{std::move(row.key)});
        auto done = commit(std::move(operations), trimmed_key, *old, std::max(*old, reached));
        if (!done) return done.error();
    }
}

}  // namespace postern::learning

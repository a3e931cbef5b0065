#include "store/kv/kv.h"

#include <algorithm>
#include <future>

namespace postern::kv {

namespace {

Error broken(std::string text) {
    return Error{Errc::invalid, "batch: " + std::move(text)};
}

bool key_fits(const std::string& key) {
    return !key.empty() && key.size() <= max_key_bytes;
}
bool value_fits(const std::string& value) {
    return !value.empty() && value.size() <= max_value_bytes;
}

Result<std::size_t> measure_preconditions(const Batch& batch) {
    std::size_t bytes = 0;
    for (const Precondition& precondition : batch.preconditions) {
        if (!key_fits(precondition.key)) return broken("a precondition's key is empty or too long");
        bytes += precondition.key.size();
        if (!precondition.equals) continue;
        if (!value_fits(*precondition.equals)) {
            return broken("a precondition's value is empty or too long");
        }
        bytes += precondition.equals->size();
    }
    return bytes;
}

Result<std::size_t> measure_operations(const Batch& batch) {
    std::size_t bytes = 0;
    for (const Operation& operation : batch.operations) {
        if (const auto* put = std::get_if<Put>(&operation)) {
            if (!key_fits(put->key)) return broken("a key is empty or too long");
            if (!value_fits(put->value)) return broken("a value is empty or too long");
            bytes += put->key.size() + put->value.size();
        } else {
            const auto& erase = std::get<Erase>(operation);
            if (!key_fits(erase.key)) return broken("a key is empty or too long");
            bytes += erase.key.size();
        }
    }
    return bytes;
}

Result<void> validate_blobs(const Batch& batch) {
    if (batch.blobs.size() > max_batch_operations) return broken("too many blobs");
    if (batch.erased_blobs.size() > max_batch_operations) return broken("too many erased blobs");
    for (const BlobPut& blob : batch.blobs) {
        if (!blob.bytes || blob.bytes->empty()) return broken("an empty blob");
        if (blob.bytes->size() > max_blob_bytes) return broken("a blob is too large");
    }
    return {};
}

}  // namespace

Result<void> validate(const Batch& batch) {
    if (batch.operations.size() > max_batch_operations) return broken("too many operations");
    if (batch.preconditions.size() > max_batch_operations) return broken("too many preconditions");
    const auto preconditions = measure_preconditions(batch);
    if (!preconditions) return preconditions.error();
    const auto operations = measure_operations(batch);
    if (!operations) return operations.error();
    if (*preconditions + *operations > max_batch_bytes) return broken("too many bytes");
    return validate_blobs(batch);
}

CommitResult resolve_outcome(Store& store, const ShardId& shard, const OperationId& operation,
                             CommitResult result) {
    if (!result || *result != Outcome::unknown) return result;
    const Error doubtful{Errc::unavailable, "the store did not say whether it committed"};
    if (operation.empty()) return doubtful;
    for (int attempt = 0; attempt < max_resolve_attempts; ++attempt) {
        const auto committed = store.was_committed(shard, operation);
        if (!committed) continue;
        if (*committed) return Outcome::committed;
        return Error{Errc::unavailable, "the store lost the batch"};
    }
    return doubtful;
}

const std::string& last_key(const Page& page) {
    if (page.rows.empty()) return page.damaged.back();
    if (page.damaged.empty()) return page.rows.back().key;
    return std::max(page.rows.back().key, page.damaged.back());
}

Result<Page> Store::scan(const ShardId& shard, std::string_view from, std::string_view to,
                         std::size_t limit) {
    auto page = scan_through(shard, from, to, limit);
    if (page && !page->damaged.empty()) return Error{Errc::corrupt, "store: a row is damaged"};
    return page;
}

std::shared_ptr<void> Store::beside(const std::function<std::shared_ptr<void>()>& make) {
    std::lock_guard lock(beside_mutex_);
    if (!beside_) beside_ = make();
    return beside_;
}

CommitResult Store::commit_and_wait(Batch batch) {
    const ShardId shard = batch.shard;
    const OperationId operation = batch.operation;
    std::promise<CommitResult> promise;
    auto future = promise.get_future();
    commit(std::move(batch),
           [&promise](CommitResult result) { promise.set_value(std::move(result)); });
    return resolve_outcome(*this, shard, operation, future.get());
}

}  // namespace postern::kv

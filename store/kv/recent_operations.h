// The operations that this process committed last, so that an outcome in doubt can be looked up.
//
// In memory alone: whoever is in doubt is a caller of this very process.
//
// Thread rule: any thread.
#pragma once

#include "store/kv/kv.h"

#include <cstddef>
#include <mutex>
#include <vector>

namespace postern::kv {

class RecentOperations {
public:
    static constexpr std::size_t count = 16 * min_operations_remembered;

    void add(const ShardId& shard, const OperationId& operation) {
        if (operation.empty()) return;
        std::lock_guard lock(mutex_);
        if (ring_.size() < count) {
            ring_.push_back({shard, operation});
            return;
        }
        ring_[next_] = {shard, operation};
        next_ = (next_ + 1) % count;
    }
    bool has(const ShardId& shard, const OperationId& operation) {
        std::lock_guard lock(mutex_);
        for (const Entry& entry : ring_) {
            if (entry.operation == operation && entry.shard == shard) return true;
        }
        return false;
    }

private:
    struct Entry {
        ShardId shard;
        OperationId operation;
    };
    std::mutex mutex_;
    std::vector<Entry> ring_;
    std::size_t next_ = 0;
};

}  // namespace postern::kv

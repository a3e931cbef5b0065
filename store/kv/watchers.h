// The callbacks of Store::watch, by shard.
#pragma once

#include "store/kv/kv.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace postern::kv {

// Thread rule: any function from any thread.
class Watchers {
public:
    // See Store::watch. The handle may outlive this object.
    std::shared_ptr<void> add(const ShardId& shard, std::function<void()> changed);
    void notify(const ShardId& shard);
    void notify(const std::set<ShardId>& shards);

private:
    struct Watcher;
    struct Registry;
    std::shared_ptr<Registry> registry_ = std::make_shared<Registry>();

    struct Watcher {
        std::recursive_mutex calling;  // recursive: the handle may go within its own call
        std::function<void()> changed;
    };
    struct Registry {
        std::mutex mutex;
        std::multimap<ShardId, std::shared_ptr<Watcher>> watchers;
    };
};

}  // namespace postern::kv

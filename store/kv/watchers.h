// The callbacks of Store::watch, by shard.
#pragma once

#include "store/kv/kv.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace postern::kv {

// Thread rule: any function from any thread.
class Watchers {
public:
    // See Store::watch. The handle may outlive this object.
    std::shared_ptr<void> add(const ShardId& shard, std::function<void()> changed);
    std::shared_ptr<void> add_kind(ShardKind kind, std::function<void(const ShardId&)> changed);
    void notify(const ShardId& shard);
    void notify(const std::set<ShardId>& shards);

private:
    struct Watcher {
        std::recursive_mutex calling;  // recursive: the handle may go within its own call
        std::function<void(const ShardId&)> changed;
    };
    using Key = std::pair<ShardKind, std::optional<ShardId>>;  // no shard: all of the kind
    struct Registry {
        std::mutex mutex;
        std::multimap<Key, std::shared_ptr<Watcher>> watchers;
    };
    std::shared_ptr<void> add(const Key& key, std::function<void(const ShardId&)> changed);

    std::shared_ptr<Registry> registry_ = std::make_shared<Registry>();
};

}  // namespace postern::kv

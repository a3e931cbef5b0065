#include "store/kv/watchers.h"

namespace postern::kv {

std::shared_ptr<void> Watchers::add(const ShardId& shard, std::function<void()> changed) {
    auto watcher = std::make_shared<Watcher>();
    watcher->changed = std::move(changed);
    {
        std::lock_guard lock(registry_->mutex);
        registry_->watchers.emplace(shard, watcher);
    }
    std::weak_ptr<Registry> weak = registry_;
    return std::shared_ptr<void>(watcher.get(), [weak, shard, watcher](void*) {
        if (auto registry = weak.lock()) {
            std::lock_guard lock(registry->mutex);
            auto [begin, end] = registry->watchers.equal_range(shard);
            for (auto it = begin; it != end; ++it) {
                if (it->second != watcher) continue;
                registry->watchers.erase(it);
                break;
            }
        }
        std::function<void()>
            dropped;  // what it holds may be freed only after the lock is released
        std::lock_guard lock(watcher->calling);
        dropped.swap(watcher->changed);
    });
}

void Watchers::notify(const ShardId& shard) {
    std::vector<std::shared_ptr<Watcher>> found;
    {
        std::lock_guard lock(registry_->mutex);
        auto [begin, end] = registry_->watchers.equal_range(shard);
        for (auto it = begin; it != end; ++it) found.push_back(it->second);
    }
    for (const auto& watcher : found) {
        std::lock_guard lock(watcher->calling);
        const std::function<void()> changed = watcher->changed;
        if (changed) changed();
    }
}

void Watchers::notify(const std::set<ShardId>& shards) {
    for (const ShardId& shard : shards) notify(shard);
}

}  // namespace postern::kv

#include "store/kv/watchers.h"

namespace postern::kv {

std::shared_ptr<void> Watchers::add(const ShardId& shard, std::function<void()> changed) {
    return add(Key{shard.kind, shard},
               [changed = std::move(changed)](const ShardId&) { changed(); });
}

std::shared_ptr<void> Watchers::add_kind(ShardKind kind,
                                         std::function<void(const ShardId&)> changed) {
    return add(Key{kind, std::nullopt}, std::move(changed));
}

std::shared_ptr<void> Watchers::add(const Key& key, std::function<void(const ShardId&)> changed) {
    auto watcher = std::make_shared<Watcher>();
    watcher->changed = std::move(changed);
    {
        std::lock_guard lock(registry_->mutex);
        registry_->watchers.emplace(key, watcher);
    }
    std::weak_ptr<Registry> weak = registry_;
    return std::shared_ptr<void>(watcher.get(), [weak, key, watcher](void*) {
        if (auto registry = weak.lock()) {
            std::lock_guard lock(registry->mutex);
            auto [begin, end] = registry->watchers.equal_range(key);
            for (auto it = begin; it != end; ++it) {
                if (it->second != watcher) continue;
                registry->watchers.erase(it);
                break;
            }
        }
        std::function<void(const ShardId&)>
            dropped;  // what it holds may be freed only after the lock is released
        std::lock_guard lock(watcher->calling);
        dropped.swap(watcher->changed);
    });
}

void Watchers::notify(const ShardId& shard) {
    std::vector<std::shared_ptr<Watcher>> found;
    {
        std::lock_guard lock(registry_->mutex);
        for (const auto& key : {Key{shard.kind, shard}, Key{shard.kind, std::nullopt}}) {
            auto [begin, end] = registry_->watchers.equal_range(key);
            for (auto it = begin; it != end; ++it) found.push_back(it->second);
        }
    }
    for (const auto& watcher : found) {
        std::lock_guard lock(watcher->calling);
        const auto changed = watcher->changed;
        if (changed) changed(shard);
    }
}

void Watchers::notify(const std::set<ShardId>& shards) {
    for (const ShardId& shard : shards) notify(shard);
}

}  // namespace postern::kv

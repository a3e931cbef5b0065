// The configuration in force, replaced whole by a reload. Thread rule: any function from any
// thread.
#pragma once

#include "gateway/config/config.h"

#include <memory>
#include <mutex>
#include <utility>

namespace postern::config {

class Current {
public:
    explicit Current(Config config) : config_(std::make_shared<const Config>(std::move(config))) {}

    // Stays as it is while it is held; take it anew for each thing that is done.
    std::shared_ptr<const Config> get() const {
        std::lock_guard lock(mutex_);
        return config_;
    }
    void set(Config config) {
        auto fresh = std::make_shared<const Config>(std::move(config));
        std::lock_guard lock(mutex_);
        config_ = std::move(fresh);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Config> config_;
};

}  // namespace postern::config

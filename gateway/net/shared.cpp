#include "gateway/net/conversation.h"
#include "gateway/clock/wall_clock.h"
#include "gateway/net/core.h"

namespace postern::net {

std::shared_ptr<const TlsContext> Shared::tls() const {
    std::lock_guard lock(mutex_);
    return tls_;
}

void Shared::set_tls(std::shared_ptr<const TlsContext> context) {
    std::lock_guard lock(mutex_);
    tls_ = std::move(context);
}

void Shared::begin() {
    std::lock_guard lock(mutex_);
    ++active_;
}

// Notified under the lock: the waiter may destroy this as soon as it sees zero.
void Shared::end() {
    std::lock_guard lock(mutex_);
    --active_;
    changed_.notify_all();
}

std::size_t Shared::active() const {
    std::lock_guard lock(mutex_);
    return active_;
}

bool Shared::wait_until_none(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return active_ == 0; });
}

Time session_time() {
    using std::chrono::milliseconds;
    using std::chrono::steady_clock;
    static const auto wall = wall_clock();
    static const auto steady = steady_clock::now();
    return wall + std::chrono::duration_cast<milliseconds>(steady_clock::now() - steady);
}

}  // namespace postern::net

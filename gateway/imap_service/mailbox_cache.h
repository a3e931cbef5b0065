// What is kept of mailboxes from one command to the next, bounded in memory: what was used longest
// ago makes room. A mailbox is brought up to date by one thread at a time, and the others wait for
// it.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace postern::imap_service {

// Kept: made by default, with bytes().
template <class Kept>
class MailboxCache {
public:
    explicit MailboxCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    // What `use` answers of what is kept of the mailbox, after `cover` brought it up to date for so
    // many messages, in no more than max_bytes. Nullopt: cover answered too_large, now or before
    // when the mailbox had no more messages; nothing is kept then. Any thread.
    template <class Cover, class Use>
    auto with(MailboxId mailbox, std::uint64_t messages, const std::atomic<bool>& stopped,
              Cover cover, Use use) -> Result<std::optional<std::invoke_result_t<Use, Kept&>>> {
        using Answer = std::optional<std::invoke_result_t<Use, Kept&>>;
        const auto entry = entry_of(mailbox);
        std::unique_lock lock(entry->mutex, std::defer_lock);
        while (!lock.try_lock_for(patience)) {
            if (stopped) return Error{Errc::unavailable, "the search was given up"};
        }
        if (messages >= entry->too_many) return Answer();
        const Result<void> covered = cover(entry->kept, max_bytes_);
        const bool too_large = !covered && covered.error().code == Errc::too_large;
        if (too_large) {
            entry->kept = Kept();
            entry->too_many = messages;
        }
        settle(mailbox, *entry, entry->kept.bytes());
        if (too_large) return Answer();
        if (!covered) return covered.error();
        return Answer(use(entry->kept));
    }

    std::size_t bytes() const {
        const std::lock_guard lock(mutex_);
        return bytes_;
    }
    std::size_t mailboxes() const {
        const std::lock_guard lock(mutex_);
        return entries_.size();
    }

private:
    // How often one that waits for another's reading looks whether it shall go on.
    static constexpr std::chrono::milliseconds patience{50};

    struct Entry {
        std::timed_mutex mutex;  // guards what follows
        Kept kept;
        std::uint64_t too_many = std::numeric_limits<std::uint64_t>::max();

        std::size_t counted = 0;  // the cache's mutex guards both
        std::uint64_t used = 0;
    };

    std::shared_ptr<Entry> entry_of(MailboxId mailbox) {
        const std::lock_guard lock(mutex_);
        auto& entry = entries_[mailbox];
        if (!entry) entry = std::make_shared<Entry>();
        entry->used = ++uses_;
        return entry;
    }

    void settle(MailboxId mailbox, const Entry& entry, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        const auto kept = entries_.find(mailbox);
        if (kept == entries_.end() || kept->second.get() != &entry) return;  // it had to go
        bytes_ += bytes - std::exchange(kept->second->counted, bytes);
        while (bytes_ > max_bytes_ && entries_.size() > 1) {
            auto oldest = entries_.end();
            for (auto each = entries_.begin(); each != entries_.end(); ++each) {
                if (each == kept) continue;
                const bool first = oldest == entries_.end();
                if (first || each->second->used < oldest->second->used) oldest = each;
            }
            bytes_ -= oldest->second->counted;
            entries_.erase(oldest);
        }
    }

    const std::size_t max_bytes_;
    mutable std::mutex mutex_;  // guards what follows
    std::map<MailboxId, std::shared_ptr<Entry>> entries_;
    std::size_t bytes_ = 0;
    std::uint64_t uses_ = 0;
};

}  // namespace postern::imap_service

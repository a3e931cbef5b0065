// The mailboxes in use: their queues, the threads that serve them, and the bodies still to be let
// go.
#pragma once

#include "store/kv/worker_pool.h"
#include "store/mail/mail_store.h"
#include "store/mail/mailbox_queue.h"
#include "store/mail/operations.h"
#include "store/mail/quota_meter.h"

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>

namespace postern::mail {

inline constexpr std::size_t max_cached_mailboxes = 4096;
inline constexpr unsigned queue_threads = 2;  // never wait for the store
inline constexpr unsigned task_threads =
    8;  // may wait: each waits for at most one commit at a time

class Mailboxes {
public:
    Mailboxes(kv::Store& store, Clock clock);
    // Waits for everything under way.
    ~Mailboxes();

    kv::Store& store() { return store_; }
    QuotaMeter& meter() { return meter_; }
    Time now() const { return clock_(); }

    std::shared_ptr<MailboxQueue> queue(MailboxId mailbox);
    void submit(MailboxId mailbox, OperationPtr operation);
    // Runs on a thread that may wait.
    void post(std::function<void()> task) { tasks_.post(std::move(task)); }

    // Held while messages of a mailbox are linked elsewhere and taken away here: two sessions that
    // move the same message at once would otherwise both link it before either takes it away.
    std::mutex& moving_from(MailboxId mailbox) { return moving_[mailbox.value % moving_.size()]; }

    // Lets go of the bodies of expunged messages, soon. What a crash or an error leaves is taken up
    // when the mailbox is next used.
    void collect_garbage_soon(MailboxId mailbox);

private:
    void collect_garbage(MailboxId mailbox);
    void evict();

    kv::Store& store_;
    const Clock clock_;
    QuotaMeter meter_;
    std::atomic<bool> closing_ = false;
    std::array<std::mutex, 64> moving_;
    std::mutex mutex_;  // guards queues_
    std::map<MailboxId, std::shared_ptr<MailboxQueue>> queues_;
    kv::BusyCount busy_;
    kv::WorkerPool queue_workers_{queue_threads};
    kv::WorkerPool tasks_{task_threads};
};

}  // namespace postern::mail

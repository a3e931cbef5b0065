#include "store/mail/mailboxes.h"

#include "store/blob/links.h"
#include "store/kv/row_codec.h"

namespace postern::mail {

namespace {
constexpr std::size_t garbage_page = 300;
}

Mailboxes::Mailboxes(kv::Store& store, Clock clock)
    : store_(store), clock_(std::move(clock)), meter_(store) {}

Mailboxes::~Mailboxes() {
    closing_ = true;
    tasks_.stop();
    busy_.wait_until_idle();
    queue_workers_.stop();
}

std::shared_ptr<MailboxQueue> Mailboxes::queue(MailboxId mailbox) {
    bool fresh = false;
    std::shared_ptr<MailboxQueue> found;
    {
        std::lock_guard lock(mutex_);
        std::shared_ptr<MailboxQueue>& entry = queues_[mailbox];
        fresh = !entry;
        if (fresh) {
            entry = std::make_shared<MailboxQueue>(store_, mailbox, queue_workers_, clock_, busy_,
                                                   meter_);
        }
        found = entry;
        if (queues_.size() > max_cached_mailboxes) evict();
    }
    if (fresh) collect_garbage_soon(mailbox);
    return found;
}

void Mailboxes::submit(MailboxId mailbox, OperationPtr operation) {
    queue(mailbox)->submit(std::move(operation));
}

void Mailboxes::evict() {
    // Half of those that nobody uses at this moment; a queue at work is held by its own callbacks.
    std::size_t to_drop = max_cached_mailboxes / 2;
    for (auto entry = queues_.begin(); entry != queues_.end() && to_drop > 0;) {
        if (entry->second.use_count() == 1) {
            entry = queues_.erase(entry);
            --to_drop;
        } else {
            ++entry;
        }
    }
}

void Mailboxes::collect_garbage_soon(MailboxId mailbox) {
    if (closing_) return;
    tasks_.post([this, mailbox] { collect_garbage(mailbox); });
}

void Mailboxes::collect_garbage(MailboxId mailbox) {
    for (bool more = true; more && !closing_;) {
        const auto page = store_.scan(mailbox_shard(mailbox), "g", after_prefix('g'), garbage_page);
        if (!page || page->rows.empty()) return;
        more = page->more;
        std::vector<blob::Ownership> owners;
        std::vector<Garbage> garbage;
        for (const kv::Row& row : page->rows) {
            kv::RowReader key(row.key);
            key.u8();
            const BlobId id = key.id();
            const std::uint64_t owner = key.u64();
            owners.push_back({id, owner});
            garbage.push_back({id, owner});
        }
        if (!blob::release(store_, owners)) return;
        const auto forgotten = wait<void>([&](Done<void> done) {
            submit(mailbox, forget_garbage_operation(std::move(garbage), std::move(done)));
        });
        if (!forgotten) return;
    }
}

}  // namespace postern::mail

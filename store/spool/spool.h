// Mail that was accepted and is not yet delivered to every recipient.
//
// `accept` is the acceptance: once its callback reports success, the message survives any crash,
// and a 250 may be sent. Thread rule: as MailStore.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"
#include "store/kv/kv.h"
#include "store/kv/worker_pool.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace postern::spool {

inline constexpr std::size_t max_recipients = 1000;
inline constexpr std::uint64_t partitions = 16;  // writers spread over them, and so over committers

struct Recipient {
    std::string address;
    AccountId account;
    MailboxId mailbox;  // chosen by the verdict at acceptance
};

struct Envelope {
    OperationId id;            // names this acceptance; delivery derives its operation ids from it
    std::string reverse_path;  // empty: <>
    std::vector<Recipient> recipients;
    Time accepted_at;
    std::string thread_root;  // as in mail::NewMessage
};

struct Item {
    Envelope envelope;
    BlobId blob;
    std::uint64_t size = 0;  // octets of the message
    std::string summary;     // opaque, as in mail::NewMessage
    std::string report;
};

class Spool {
public:
    // `store` must outlive this; the destructor waits for settling under way.
    explicit Spool(kv::Store& store) : store_(store) {}

    // Stores body and envelope in one durable batch. Errors: invalid, limit (recipients: their
    // count, or addresses so long that the envelope is over kv::max_value_bytes), exists (id),
    // unavailable.
    void accept(Envelope envelope, std::shared_ptr<const std::string> bytes, std::string summary,
                std::string report, std::function<void(Result<Item>)> done);
    // Everything that waits, oldest first, at most `limit`; for replay at start.
    Result<std::vector<Item>> pending(std::size_t limit);
    // Strikes recipients off; the record goes when none is left. Never drops the body of a
    // delivered message.
    void settle(const OperationId& id, std::vector<std::string> delivered_addresses,
                std::function<void(Result<void>)> done);

private:
    kv::ShardId shard_of(const OperationId& id) const;
    void accept_now(Item item, const std::string& bytes, std::function<void(Result<Item>)> done);
    Result<void> settle_now(const OperationId& id, const std::vector<std::string>& delivered);

    kv::Store& store_;
    kv::WorkerPool workers_{4};
};

}  // namespace postern::spool

// Mail on its way to other servers: durable from the acceptance until each recipient was delivered
// to, bounced, or deleted by an admin.
//
// One row a message, on the spool's shards beside its records. Every change is a compare and swap
// on that row, so that the daemon and the command line may both change it.
//
// Thread rule: any function from any thread but the store engine's. Changing functions wait for
// durability.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::queue {

// Of one row; a message to more becomes several.
inline constexpr std::size_t max_recipients = 100;
inline constexpr std::size_t max_reason_bytes = 200;  // longer ones are cut
inline constexpr std::size_t max_address_bytes = 320;
inline constexpr std::uint64_t partitions = 16;

struct Recipient {
    std::string address;
    std::string original;     // ORCPT as it came; empty: none
    std::uint8_t notify = 0;  // smtp::Notify flags
    std::uint32_t attempts = 0;
    Time next_attempt;
    std::string reason;  // of the last attempt; empty: not tried yet
    bool delay_notified = false;
};

struct Message {
    OperationId id;
    std::string reverse_path;  // empty: <>
    Time queued_at;
    std::string account;        // who submitted it; empty: it came from another server
    std::string envelope_id;    // ENVID, as xtext
    bool headers_only = false;  // RET=HDRS
    bool smtputf8 = false;      // its sender asked for it, and its header needs it
    bool require_tls = false;
    bool tls_waived = false;   // TLS-Required: No (RFC 8689), and not require_tls
    bool spam = false;         // judged so: no bounce
    bool held = false;         // by an admin or as spam; waits until an admin releases it
    bool notice_owed = false;  // held, and its sender was not told so yet
    bool rejected = false;     // by an admin, the recipients' reasons say why: back to its sender
    std::vector<Recipient> recipients;
    BlobId blob;
    std::uint64_t size = 0;
};

class Queue {
public:
    explicit Queue(kv::Store& store) : store_(store) {}

    // Stores the message; once this returns it survives any crash. `message.id` names it and must
    // be new; blob and size are filled in. Errors: invalid, limit (recipients), exists,
    // unavailable.
    Result<Message> add(Message message, const std::string& bytes);

    // Everything that waits, oldest first. A damaged row is left out and counted in `damaged`.
    Result<std::vector<Message>> all(std::size_t* damaged = nullptr);
    // nullopt: no such message (any more).
    Result<std::optional<Message>> find(const OperationId& id);
    // Reads, lets `edit` change it, and stores it; a message without recipients goes with its body.
    // edit is called again when somebody else was faster. nullopt: it is not there.
    Result<std::optional<Message>> change(const OperationId& id,
                                          const std::function<void(Message&)>& edit);
    // Bytes of the message [offset, offset + length), fewer at its end.
    Result<std::string> read(const Message& message, std::uint64_t offset, std::uint64_t length);

private:
    kv::Store& store_;
};

}  // namespace postern::queue

#include "store/queue/queue.h"

#include "store/blob/blob.h"
#include "store/blob/links.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <utility>

namespace postern::queue {

namespace {

constexpr std::uint8_t row_version = 1;
constexpr int max_attempts = 100;

enum Flag : std::uint8_t {
    headers_only = 1,
    smtputf8 = 2,
    require_tls = 4,
    spam = 8,
    held = 16,
    notice_owed = 32,
    rejected = 64,
    tls_waived = 128,
};

kv::ShardId shard_of(const OperationId& id) {
    return {kv::ShardKind::spool, id.bytes[0] % partitions, 0};
}
std::string key_of(const OperationId& id) {
    return kv::RowWriter().u8('q').id(id).take();
}

std::uint8_t flags_of(const Message& message) {
    unsigned flags = 0;
    if (message.headers_only) flags |= headers_only;
    if (message.smtputf8) flags |= smtputf8;
    if (message.require_tls) flags |= require_tls;
    if (message.spam) flags |= spam;
    if (message.held) flags |= held;
    if (message.notice_owed) flags |= notice_owed;
    if (message.rejected) flags |= rejected;
    if (message.tls_waived) flags |= tls_waived;
    return static_cast<std::uint8_t>(flags);
}

std::string encode(const Message& message) {
    kv::RowWriter writer;
    writer.u8(row_version).u8(flags_of(message)).bytes(message.reverse_path);
    writer.signed_varint(to_unix_ms(message.queued_at)).bytes(message.account);
    writer.bytes(message.envelope_id).id(message.blob).varint(message.size);
    writer.varint(message.recipients.size());
    for (const Recipient& each : message.recipients) {
        writer.bytes(each.address).bytes(each.original).u8(each.notify).varint(each.attempts);
        writer.signed_varint(to_unix_ms(each.next_attempt));
        writer.bytes(std::string_view(each.reason).substr(0, max_reason_bytes));
        writer.u8(each.delay_notified ? 1 : 0);
    }
    return writer.take();
}

std::optional<Message> decode(const OperationId& id, std::string_view value) {
    kv::RowReader reader(value);
    Message message;
    message.id = id;
    if (reader.u8() != row_version) return std::nullopt;
    const auto flags = reader.u8();
    message.headers_only = (flags & headers_only) != 0;
    message.smtputf8 = (flags & smtputf8) != 0;
    message.require_tls = (flags & require_tls) != 0;
    message.spam = (flags & spam) != 0;
    message.held = (flags & held) != 0;
    message.notice_owed = (flags & notice_owed) != 0;
    message.rejected = (flags & rejected) != 0;
    message.tls_waived = (flags & tls_waived) != 0;
    message.reverse_path = reader.bytes();
    message.queued_at = from_unix_ms(reader.signed_varint());
    message.account = reader.bytes();
    message.envelope_id = reader.bytes();
    message.blob = reader.id();
    message.size = reader.varint();
    const auto count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        Recipient each;
        each.address = reader.bytes();
        each.original = reader.bytes();
        each.notify = reader.u8();
        each.attempts = static_cast<std::uint32_t>(reader.varint());
        each.next_attempt = from_unix_ms(reader.signed_varint());
        each.reason = reader.bytes();
        each.delay_notified = reader.u8() != 0;
        message.recipients.push_back(std::move(each));
    }
    if (!reader.done()) return std::nullopt;
    return message;
}

Error damaged_row(const OperationId& id) {
    return Error{Errc::corrupt, "queue: damaged row of " + to_hex(id)};
}

Result<void> check(const Message& message, const std::string& bytes) {
    if (message.id.empty()) return Error{Errc::invalid, "queue: a message without an id"};
    if (bytes.empty()) return Error{Errc::invalid, "queue: an empty message"};
    if (message.recipients.empty()) return Error{Errc::invalid, "queue: no recipient"};
    if (message.recipients.size() > max_recipients) {
        return Error{Errc::limit, "queue: too many recipients for one row"};
    }
    const bool too_long =
        std::any_of(message.recipients.begin(), message.recipients.end(),
                    [](const Recipient& each) { return each.address.size() > max_address_bytes; });
    if (too_long) return Error{Errc::limit, "queue: an address is too long"};
    return {};
}

}  // namespace

Result<Message> Queue::add(Message message, const std::string& bytes) {
    if (const auto checked = check(message, bytes); !checked) return checked.error();
    const auto shard = shard_of(message.id);
    message.size = bytes.size();
    const auto body = blob::make_body(store_, shard, bytes);
    if (!body) return body.error();
    message.blob = body->id;
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = message.id;
    batch.preconditions.push_back({key_of(message.id), std::nullopt});
    auto row = encode(message);
    if (row.size() > kv::max_value_bytes) {
        static_cast<void>(blob::settle(store_, *body));
        return Error{Errc::limit, "queue: too many recipients with long addresses"};
    }
    batch.operations.emplace_back(kv::Put{key_of(message.id), std::move(row)});
    batch.blobs.push_back({body->id, body->framed});
    const auto outcome = store_.commit_and_wait(std::move(batch));
    if (outcome && *outcome == kv::Outcome::committed) return message;
    static_cast<void>(blob::settle(store_, *body));
    if (!outcome) return outcome.error();
    return Error{Errc::exists, "queue: that id is in use"};
}

Result<std::vector<Message>> Queue::all(std::size_t* damaged) {
    std::vector<Message> messages;
    for (std::uint64_t partition = 0; partition < partitions; ++partition) {
        const kv::ShardId shard{kv::ShardKind::spool, partition, 0};
        std::string from = "q";
        for (bool more = true; more;) {
            const auto page = store_.scan(shard, from, "r", kv::max_page_rows);
            if (!page) return page.error();
            for (const kv::Row& row : page->rows) {
                kv::RowReader key(row.key);
                key.u8();
                auto message = decode(key.id(), row.value);
                if (message)
                    messages.push_back(std::move(*message));
                else if (damaged != nullptr)
                    ++*damaged;
            }
            more = page->more;
            if (more) from = page->rows.back().key + '\0';
        }
    }
    std::stable_sort(messages.begin(), messages.end(),
                     [](const Message& a, const Message& b) { return a.queued_at < b.queued_at; });
    return messages;
}

Result<std::optional<Message>> Queue::find(const OperationId& id) {
    const auto row = store_.get(shard_of(id), key_of(id));
    if (!row) return row.error();
    if (!*row) return std::optional<Message>();
    auto message = decode(id, **row);
    if (!message) return damaged_row(id);
    return message;
}

Result<std::optional<Message>> Queue::change(const OperationId& id,
                                             const std::function<void(Message&)>& edit) {
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        const auto row = store_.get(shard_of(id), key_of(id));
        if (!row) return row.error();
        if (!*row) return std::optional<Message>();
        auto message = decode(id, **row);
        if (!message) return damaged_row(id);
        edit(*message);
        kv::Batch batch;
        batch.shard = shard_of(id);
        batch.operation = kv::random_id();
        batch.preconditions.push_back({key_of(id), **row});
        if (message->recipients.empty()) {
            batch.operations.emplace_back(kv::Erase{key_of(id)});
        } else {
            batch.operations.emplace_back(kv::Put{key_of(id), encode(*message)});
        }
        const auto outcome = store_.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome != kv::Outcome::committed) continue;
        if (message->recipients.empty()) {
            // After the row: a crash in between leaves a body that nobody owns, never a row without
            // its body.
            const auto released = blob::release(store_, {{message->blob, blob::first_owner}});
            if (!released) return released.error();
        }
        return message;
    }
    return Error{Errc::conflict, "queue: changed by too many at once"};
}

Result<std::string> Queue::read(const Message& message, std::uint64_t offset,
                                std::uint64_t length) {
    return blob::read(store_, message.blob, offset, length);
}

}  // namespace postern::queue

#include "store/spool/spool.h"

#include "store/blob/blob.h"
#include "store/blob/links.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <utility>

namespace postern::spool {

namespace {

constexpr std::uint8_t row_version = 1;
constexpr int max_settle_races = 100;

// "e" + id: the envelope; shrinks as recipients are settled. "x" + id: what delivery needs besides,
// and never changes.
std::string envelope_key(const OperationId& id) {
    return kv::RowWriter().u8('e').id(id).take();
}
std::string extras_key(const OperationId& id) {
    return kv::RowWriter().u8('x').id(id).take();
}

std::string encode_envelope(const Item& item) {
    kv::RowWriter writer;
    writer.u8(row_version).bytes(item.envelope.reverse_path);
    writer.signed_varint(to_unix_ms(item.envelope.accepted_at)).id(item.blob).varint(item.size);
    writer.varint(item.envelope.recipients.size());
    for (const Recipient& recipient : item.envelope.recipients) {
        writer.bytes(recipient.address).u64(recipient.account.value).u64(recipient.mailbox.value);
    }
    return writer.take();
}

std::optional<Item> decode_envelope(const OperationId& id, std::string_view value) {
    kv::RowReader reader(value);
    if (reader.u8() != row_version) return std::nullopt;
    Item item;
    item.envelope.id = id;
    item.envelope.reverse_path = reader.bytes();
    item.envelope.accepted_at = from_unix_ms(reader.signed_varint());
    item.blob = reader.id();
    item.size = reader.varint();
    const std::uint64_t count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        Recipient recipient;
        recipient.address = reader.bytes();
        recipient.account.value = reader.u64();
        recipient.mailbox.value = reader.u64();
        item.envelope.recipients.push_back(std::move(recipient));
    }
    if (!reader.done()) return std::nullopt;
    return item;
}

Result<void> check(const Envelope& envelope, const std::string* bytes) {
    if (envelope.id.empty()) return Error{Errc::invalid, "spool: an envelope without an id"};
    if (bytes == nullptr || bytes->empty()) return Error{Errc::invalid, "spool: an empty message"};
    if (envelope.recipients.empty()) return Error{Errc::invalid, "spool: no recipient"};
    if (envelope.recipients.size() > max_recipients) {
        return Error{Errc::limit, "spool: too many recipients"};
    }
    return {};
}

Result<void> add_extras(kv::Store& store, const kv::ShardId& shard, Item& item) {
    const auto row = store.get(shard, extras_key(item.envelope.id));
    if (!row) return row.error();
    if (!*row) return {};
    kv::RowReader reader(**row);
    item.summary = reader.bytes();
    item.report = reader.bytes();
    item.envelope.thread_root = reader.bytes();
    if (!reader.done()) return Error{Errc::corrupt, "spool: damaged row"};
    return {};
}

Result<void> read_partition(kv::Store& store, const kv::ShardId& shard, std::vector<Item>& items) {
    std::string from = "e";
    for (bool more = true; more;) {
        // A damaged record must not hold up the others; `postern store check` names it.
        const auto page = store.scan_through(shard, from, "f", kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            kv::RowReader key(row.key);
            key.u8();
            auto item = decode_envelope(key.id(), row.value);
            if (item) items.push_back(std::move(*item));
        }
        more = page->more;
        if (more) from = kv::last_key(*page) + '\0';
    }
    return {};
}

// What settling leaves of the recipients.
void strike_off(Item& item, const std::vector<std::string>& delivered) {
    auto& recipients = item.envelope.recipients;
    const auto is_delivered = [&](const Recipient& recipient) {
        return std::find(delivered.begin(), delivered.end(), recipient.address) != delivered.end();
    };
    recipients.erase(std::remove_if(recipients.begin(), recipients.end(), is_delivered),
                     recipients.end());
}

}  // namespace

kv::ShardId Spool::shard_of(const OperationId& id) const {
    return {kv::ShardKind::spool, id.bytes[0] % partitions, 0};
}

void Spool::accept(Envelope envelope, std::shared_ptr<const std::string> bytes, std::string summary,
                   std::string report, std::function<void(Result<Item>)> done) {
    const auto checked = check(envelope, bytes.get());
    if (!checked) return done(checked.error());
    Item item;
    item.envelope = std::move(envelope);
    item.size = bytes->size();
    item.summary = std::move(summary);
    item.report = std::move(report);
    if (bytes->size() < blob::min_part_bytes) {
        return accept_now(std::move(item), *bytes, std::move(done));
    }
    // Parts of it may have to be stored first, which waits.
    workers_.post([this, item = std::move(item), bytes, done = std::move(done)]() mutable {
        accept_now(std::move(item), *bytes, std::move(done));
    });
}

void Spool::accept_now(Item item, const std::string& bytes,
                       std::function<void(Result<Item>)> done) {
    const kv::ShardId shard = shard_of(item.envelope.id);
    const auto body = blob::make_body(store_, shard, bytes);
    if (!body) return done(body.error());
    item.blob = body->id;
    const OperationId id = item.envelope.id;
    std::string row = encode_envelope(item);
    if (row.size() > kv::max_value_bytes) {
        static_cast<void>(blob::settle(store_, *body));
        return done(Error{Errc::limit, "spool: too many recipients with long addresses"});
    }
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = id;
    batch.preconditions.push_back({envelope_key(id), std::nullopt});
    batch.operations.emplace_back(kv::Put{envelope_key(id), std::move(row)});
    if (!item.summary.empty() || !item.report.empty() || !item.envelope.thread_root.empty()) {
        std::string extras = kv::RowWriter()
                                 .bytes(item.summary)
                                 .bytes(item.report)
                                 .bytes(item.envelope.thread_root)
                                 .take();
        batch.operations.emplace_back(kv::Put{extras_key(id), std::move(extras)});
    }
    batch.blobs.push_back({body->id, body->framed});
    auto finish = [this, body = blob::NewBody{body->id, nullptr, body->parts},
                   done = std::move(done), item = std::move(item)](kv::CommitResult result) {
        if (result && *result == kv::Outcome::committed) return done(item);
        // Before the answer: with it the caller may let go of this spool. What is in doubt still
        // has its body, or is tidied by repair.
        if (!body.parts.empty()) {
            workers_.post([this, body] { static_cast<void>(blob::settle(store_, body)); });
        }
        done(result ? Error{Errc::exists, "spool: that envelope id is in use"} : result.error());
    };
    store_.commit(std::move(batch),
                  [this, shard, id, finish = std::move(finish)](kv::CommitResult result) {
                      if (!result || *result != kv::Outcome::unknown) return finish(result);
                      // Asking may wait, and this is an engine thread.
                      workers_.post([this, shard, id, finish, result] {
                          finish(kv::resolve_outcome(store_, shard, id, result));
                      });
                  });
}

Result<std::vector<Item>> Spool::pending(std::size_t limit) {
    std::vector<Item> items;
    for (std::uint64_t partition = 0; partition < partitions; ++partition) {
        const auto read = read_partition(store_, {kv::ShardKind::spool, partition, 0}, items);
        if (!read) return read.error();
    }
    std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        return a.envelope.accepted_at < b.envelope.accepted_at;
    });
    if (items.size() > limit) items.resize(limit);
    for (Item& item : items) {
        const auto added = add_extras(store_, shard_of(item.envelope.id), item);
        if (!added) return added.error();
    }
    return items;
}

void Spool::settle(const OperationId& id, std::vector<std::string> delivered_addresses,
                   std::function<void(Result<void>)> done) {
    workers_.post([this, id, delivered = std::move(delivered_addresses), done = std::move(done)] {
        done(settle_now(id, delivered));
    });
}

Result<void> Spool::settle_now(const OperationId& id, const std::vector<std::string>& delivered) {
    const kv::ShardId shard = shard_of(id);
    const std::string key = envelope_key(id);
    for (int attempt = 0; attempt < max_settle_races; ++attempt) {
        const auto row = store_.get(shard, key);
        if (!row) return row.error();
        if (!*row) return {};  // settled before
        auto item = decode_envelope(id, **row);
        if (!item) return Error{Errc::corrupt, "spool: damaged envelope row"};
        strike_off(*item, delivered);
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        batch.preconditions.push_back({key, **row});
        if (item->envelope.recipients.empty()) {
            // The body first: a crash in between delivers again, which the mailboxes know; the
            // other way round it would leave a body that nobody owns.
            const auto released = blob::release(store_, {{item->blob, blob::first_owner}});
            if (!released) return released;
            batch.operations.emplace_back(kv::Erase{key});
            batch.operations.emplace_back(kv::Erase{extras_key(id)});
        } else {
            batch.operations.emplace_back(kv::Put{key, encode_envelope(*item)});
        }
        const auto outcome = store_.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return {};
    }
    return Error{Errc::conflict, "spool: settled by too many at once"};
}

}  // namespace postern::spool

#include "store/mail/intents.h"

#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

namespace postern::mail {

namespace {

constexpr kv::ShardId intents_shard{kv::ShardKind::intents, 0, 0};

std::string key_of(const OperationId& id) {
    return kv::RowWriter().id(id).take();
}

Result<void> commit(kv::Store& store, kv::Operation operation) {
    kv::Batch batch;
    batch.shard = intents_shard;
    batch.operation = kv::random_id();
    batch.operations.push_back(std::move(operation));
    const auto outcome = store.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    return {};
}

std::optional<Intent> decode(const kv::Row& row) {
    Intent intent;
    intent.id = kv::RowReader(row.key).id();
    kv::RowReader reader(row.value);
    intent.kind = static_cast<Intent::Kind>(reader.u8());
    intent.account.value = reader.u64();
    intent.from.value = reader.u64();
    intent.to.value = reader.u64();
    const std::string_view uids = reader.bytes();
    if (!reader.done() || !intent.uids.deserialize(uids)) return std::nullopt;
    return intent;
}

}  // namespace

Result<void> write_intent(kv::Store& store, const Intent& intent) {
    std::string value = kv::RowWriter()
                            .u8(static_cast<std::uint8_t>(intent.kind))
                            .u64(intent.account.value)
                            .u64(intent.from.value)
                            .u64(intent.to.value)
                            .bytes(intent.uids.serialize())
                            .take();
    return commit(store, kv::Put{key_of(intent.id), std::move(value)});
}

Result<void> erase_intent(kv::Store& store, const OperationId& id) {
    return commit(store, kv::Erase{key_of(id)});
}

Result<std::vector<Intent>> read_intents(kv::Store& store) {
    std::vector<Intent> intents;
    std::string from;
    for (bool more = true; more;) {
        const auto page = store.scan(intents_shard, from, "", kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            auto intent = decode(row);
            if (!intent) return Error{Errc::corrupt, "damaged row of unfinished work"};
            intents.push_back(std::move(*intent));
        }
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return intents;
}

}  // namespace postern::mail

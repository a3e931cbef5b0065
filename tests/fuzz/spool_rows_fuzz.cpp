// Rows of the spool as a damaged store may give them: an item is read whole or left out, and
// never stands in the way of others.
#include "store/kv/row_codec.h"
#include "store/spool/spool.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    static const auto store = kv::make_memory_store();
    static spool::Spool spool(*store);
    if (size < 2 || size > kv::max_value_bytes) return 0;
    const std::string value(reinterpret_cast<const char*>(data), size);
    const std::size_t half = value.size() / 2;
    OperationId id;
    id.bytes[15] = 1;
    kv::Batch batch;
    batch.shard = {kv::ShardKind::spool, 0, 0};
    batch.operations.emplace_back(kv::Put{kv::RowWriter().u8('e').id(id).take(), value});
    batch.operations.emplace_back(
        kv::Put{kv::RowWriter().u8('x').id(id).take(), value.substr(half)});
    if (!store->commit_and_wait(std::move(batch))) std::abort();
    const auto items = spool.pending(10);
    if (items && items->size() > 1) std::abort();
    return 0;
}

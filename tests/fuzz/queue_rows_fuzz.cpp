// Rows of the queue as a damaged store may give them: read whole, or left out.
#include "store/kv/row_codec.h"
#include "store/queue/queue.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    static const auto store = kv::make_memory_store();
    static queue::Queue queue(*store);
    if (size == 0 || size > kv::max_value_bytes) return 0;
    OperationId id;
    id.bytes[15] = 1;
    kv::Batch batch;
    batch.shard = {kv::ShardKind::spool, 0, 0};
    batch.operations.emplace_back(kv::Put{kv::RowWriter().u8('q').id(id).take(),
                                          std::string(reinterpret_cast<const char*>(data), size)});
    if (!store->commit_and_wait(std::move(batch))) std::abort();
    std::size_t damaged = 0;
    const auto all = queue.all(&damaged);
    if (!all || all->size() + damaged != 1) std::abort();
    // What reads reads back the same.
    if (all->empty()) return 0;
    const auto changed = queue.change(id, [](queue::Message&) {});
    if (!all->front().recipients.empty() && !changed) std::abort();
    return 0;
}

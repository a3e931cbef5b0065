#include "store/directory/shares.h"

#include "store/directory/names.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <optional>

namespace postern::directory {

namespace {

constexpr kv::ShardId shard{kv::ShardKind::directory, 0, 0};
constexpr char present[] = "1";  // values of rows are never empty

std::string share_prefix(const std::string& whom) {
    return "S" + whom + '\0';
}
// Addresses of both would not fit into a key.
std::string share_key(const std::string& whom, AccountId owner) {
    return share_prefix(whom) + kv::RowWriter().u64(owner.value).take();
}
std::string group_key(const std::string& address) {
    return "G" + address;
}

Result<void> commit(kv::Store& store, kv::Operation operation) {
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    batch.operations.push_back(std::move(operation));
    const auto result = store.commit_and_wait(std::move(batch));
    if (!result) return result.error();
    return {};
}

}  // namespace

Result<void> Shares::add(std::string_view whom, const User& owner) {
    const auto to = canonical_pattern(whom);
    if (!to) return bad_address(whom);
    if (!canonical_pattern(owner.address)) return bad_address(owner.address);
    return commit(store_, kv::Put{share_key(*to, owner.id), owner.address});
}

Result<void> Shares::remove(std::string_view whom, const User& owner) {
    const auto to = canonical_pattern(whom);
    if (!to) return {};
    return commit(store_, kv::Erase{share_key(*to, owner.id)});
}

Result<std::vector<std::string>> Shares::owners(std::string_view whom) {
    const auto to = canonical_pattern(whom);
    if (!to) return bad_address(whom);
    std::vector<std::string> found;
    std::string from = share_prefix(*to);
    std::string end = from;
    ++end.back();
    for (bool more = true; more;) {
        const auto page = store_.scan(shard, from, end, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) found.push_back(row.value);
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return found;
}

Result<void> Shares::set_group(std::string_view address, bool group) {
    const auto name = canonical_pattern(address);
    if (!name) return bad_address(address);
    if (!group) return commit(store_, kv::Erase{group_key(*name)});
    return commit(store_, kv::Put{group_key(*name), present});
}

Result<bool> Shares::is_group(std::string_view address) {
    const auto name = canonical_pattern(address);
    if (!name) return false;
    const auto value = store_.get(shard, group_key(*name));
    if (!value) return value.error();
    return value->has_value();
}

}  // namespace postern::directory

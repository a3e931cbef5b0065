#include "store/care/walk.h"

#include "store/directory/directory.h"
#include "store/kv/random_id.h"
#include "store/mail/mailbox_names.h"

namespace postern::care {

Result<void> for_each_page(kv::Store& store, const kv::ShardId& shard, std::string from,
                           const std::string& to,
                           const std::function<Result<void>(kv::Page&)>& visit) {
    for (bool more = true; more;) {
        auto page = store.scan_through(shard, from, to, kv::max_page_rows);
        if (!page) return page.error();
        more = page->more;
        if (more) from = kv::last_key(*page) + '\0';
        const auto visited = visit(*page);
        if (!visited) return visited;
    }
    return {};
}

Result<std::vector<kv::ShardId>> shards_of(kv::Store& store, kv::ShardKind kind) {
    std::vector<kv::ShardId> shards;
    kv::ShardId after{kind, 0, 0};
    for (bool more = true; more;) {
        const auto page = store.list_shards(after, kv::max_page_rows);
        if (!page) return page.error();
        more = page->more;
        for (const kv::ShardId& shard : page->shards) {
            if (shard.kind != kind) return shards;
            shards.push_back(shard);
        }
        if (more) after = page->shards.back();
    }
    return shards;
}

Result<std::map<AccountId, std::string>> addresses(kv::Store& store) {
    const auto users = directory::Directory(store).users("");
    if (!users) return users.error();
    std::map<AccountId, std::string> found;
    for (const auto& user : *users) found[user.id] = user.address;
    return found;
}

Result<std::vector<NamedMailbox>> all_mailboxes(
    kv::Store& store, const std::function<void(const std::string&, const Error&)>& damaged) {
    const auto shards = shards_of(store, kv::ShardKind::account);
    if (!shards) return shards.error();
    auto owners = addresses(store);
    if (!owners) return owners.error();
    std::vector<NamedMailbox> mailboxes;
    for (const kv::ShardId& shard : *shards) {
        const AccountId account{shard.number};
        if (account.value == 0) continue;  // UIDVALIDITY's own
        std::string& owner = (*owners)[account];
        if (owner.empty()) owner = "account " + std::to_string(account.value);
        const auto names = mail::read_names(store, account);
        if (!names) {
            if (!damaged) return names.error();
            damaged(owner, names.error());
            continue;
        }
        for (const auto& [name, row] : names->names) {
            if (row.id.value != 0) mailboxes.push_back({account, owner, name, row.id});
        }
    }
    return mailboxes;
}

std::uint64_t short_id(const BlobId& blob) {
    std::uint64_t id = 0;
    for (int i = 0; i < 8; ++i) id = id << 8 | blob.bytes[static_cast<std::size_t>(i)];
    return id;
}

Result<bool> commit(kv::Store& store, const kv::ShardId& shard,
                    std::vector<kv::Precondition> conditions,
                    std::vector<kv::Operation> operations) {
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    batch.preconditions = std::move(conditions);
    batch.operations = std::move(operations);
    const auto outcome = store.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    return *outcome == kv::Outcome::committed;
}

}  // namespace postern::care

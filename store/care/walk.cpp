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

Result<std::vector<NamedMailbox>> mailboxes_of(kv::Store& store, AccountId account,
                                               const std::string& owner) {
    const auto names = mail::read_names(store, account);
    if (!names) return names.error();
    std::vector<NamedMailbox> mailboxes;
    for (const auto& [name, row] : names->names) {
        if (row.id.value != 0) mailboxes.push_back({account, owner, name, row.id});
    }
    return mailboxes;
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
        const auto own = mailboxes_of(store, account, owner);
        if (!own) {
            if (!damaged) return own.error();
            damaged(owner, own.error());
            continue;
        }
        mailboxes.insert(mailboxes.end(), own->begin(), own->end());
    }
    return mailboxes;
}

Result<std::vector<BlobId>> sample_blobs(kv::Store& store, std::size_t count,
                                         const std::function<void(const kv::StoredBlob&)>& visit) {
    std::vector<BlobId> chosen;
    std::uint64_t seen = 0;
    std::string from;
    do {
        const auto page = store.list_blobs(from, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::StoredBlob& blob : page->blobs) {
            visit(blob);
            ++seen;
            if (chosen.size() < count) {
                chosen.push_back(blob.id);
                continue;
            }
            const std::uint64_t place = kv::random_number() % seen;
            if (place < chosen.size()) chosen[place] = blob.id;
        }
        from = page->next;
    } while (!from.empty());
    return chosen;
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

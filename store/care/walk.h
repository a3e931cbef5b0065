// Ways through the whole store that its care shares.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace postern::care {

// Calls visit(page) for the pages of a shard's rows with from <= key < to, damaged keys included.
Result<void> for_each_page(kv::Store& store, const kv::ShardId& shard, std::string from,
                           const std::string& to,
                           const std::function<Result<void>(kv::Page&)>& visit);

// All shards of that kind, ascending.
Result<std::vector<kv::ShardId>> shards_of(kv::Store& store, kv::ShardKind kind);

// Account -> address, of all users.
Result<std::map<AccountId, std::string>> addresses(kv::Store& store);

struct NamedMailbox {
    AccountId account;
    std::string owner;  // address, or "account N" when no user has it
    std::string name;
    MailboxId id;
};
// Every mailbox that a name leads to, by account. `damaged` hears of accounts whose names cannot be
// read; without it that is an error.
Result<std::vector<NamedMailbox>> all_mailboxes(
    kv::Store& store,
    const std::function<void(const std::string& account, const Error&)>& damaged = {});

// Those of one account.
Result<std::vector<NamedMailbox>> mailboxes_of(kv::Store& store, AccountId account,
                                               const std::string& owner);

// So many stored blobs at random, each as likely as any other; `visit` is told of every one.
Result<std::vector<BlobId>> sample_blobs(kv::Store& store, std::size_t count,
                                         const std::function<void(const kv::StoredBlob&)>& visit);

// First 8 bytes of a blob's id: unique in a store, and half as large.
std::uint64_t short_id(const BlobId& blob);

// Commits, and answers whether the preconditions held.
Result<bool> commit(kv::Store& store, const kv::ShardId& shard,
                    std::vector<kv::Precondition> conditions,
                    std::vector<kv::Operation> operations);

}  // namespace postern::care

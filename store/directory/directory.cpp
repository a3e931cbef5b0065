#include "store/directory/directory.h"

#include "store/directory/names.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>

namespace postern::directory {

namespace {

constexpr kv::ShardId shard{kv::ShardKind::directory, 0, 0};
constexpr std::uint8_t row_version = 1;
constexpr int max_attempts = 64;
constexpr char next_id_key[] = "N";

struct DomainRow {
    std::uint64_t users = 0;
};

std::string domain_key(std::string_view domain) {
    return "D" + std::string(domain);
}
std::string users_prefix(std::string_view domain) {
    return "U" + std::string(domain) + '\0';
}
std::string user_key(const Address& address) {
    return users_prefix(address.domain) + address.local_part;
}

Error corrupt(std::string_view what) {
    return Error{Errc::corrupt, "directory: unreadable row of " + std::string(what)};
}
Error bad_domain(std::string_view domain) {
    return Error{Errc::invalid, "not a domain name: " + std::string(domain)};
}
Error no_domain(std::string_view domain) {
    return Error{Errc::not_found, "no such domain: " + std::string(domain)};
}
Error no_user(std::string_view address) {
    return Error{Errc::not_found, "no such user: " + std::string(address)};
}

std::string encode(const DomainRow& row) {
    return kv::RowWriter().u8(row_version).varint(row.users).take();
}
Result<DomainRow> decode_domain(std::string_view name, std::string_view value) {
    kv::RowReader reader(value);
    const auto version = reader.u8();
    const DomainRow row{reader.varint()};
    if (!reader.done() || version != row_version) return corrupt(name);
    return row;
}

std::string encode(const User& user) {
    return kv::RowWriter().u8(row_version).varint(user.id.value).bytes(user.password_hash).take();
}
Result<User> decode_user(std::string address, std::string_view value) {
    kv::RowReader reader(value);
    const auto version = reader.u8();
    User user;
    user.id.value = reader.varint();
    user.password_hash = reader.bytes();
    if (!reader.done() || version != row_version) return corrupt(address);
    user.address = std::move(address);
    return user;
}

// Plans a batch from what is read, commits it, and plans anew when somebody else was faster.
template <class Plan>
Result<void> change(kv::Store& store, Plan plan) {
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        if (Result<void> planned = plan(batch); !planned) return planned;
        const auto result = store.commit_and_wait(std::move(batch));
        if (!result) return result.error();
        if (*result == kv::Outcome::committed) return {};
    }
    return Error{Errc::conflict, "directory: changed by others too often; try again"};
}

Result<std::optional<std::string>> read(kv::Store& store, kv::Batch& batch,
                                        const std::string& key) {
    auto value = store.get(shard, key);
    if (value) batch.preconditions.push_back({key, *value});
    return value;
}

Result<void> count_users(kv::Store& store, kv::Batch& batch, const std::string& domain,
                         std::int64_t difference) {
    const std::string key = domain_key(domain);
    const auto value = read(store, batch, key);
    if (!value) return value.error();
    if (!*value) return no_domain(domain);
    auto row = decode_domain(domain, **value);
    if (!row) return row.error();
    row->users += static_cast<std::uint64_t>(difference);
    batch.operations.push_back(kv::Put{key, encode(*row)});
    return {};
}

Result<AccountId> next_account(kv::Store& store, kv::Batch& batch) {
    const auto value = read(store, batch, next_id_key);
    if (!value) return value.error();
    std::uint64_t id = 1;
    if (*value) {
        kv::RowReader reader(**value);
        id = reader.varint();
        if (!reader.done()) return corrupt("account numbers");
    }
    batch.operations.push_back(kv::Put{next_id_key, kv::RowWriter().varint(id + 1).take()});
    return AccountId{id};
}

// Calls visit(key, value) for every row that begins with prefix.
template <class Visit>
Result<void> for_each(kv::Store& store, const std::string& prefix, Visit visit) {
    std::string from = prefix;
    std::string to = prefix;
    ++to.back();
    for (;;) {
        const auto page = store.scan(shard, from, to, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            if (Result<void> visited = visit(row.key, row.value); !visited) return visited;
        }
        if (!page->more) return {};
        from = page->rows.back().key + '\0';
    }
}

}  // namespace

Result<void> Directory::add_domain(std::string_view domain) {
    const auto name = canonical_domain(domain);
    if (!name) return bad_domain(domain);
    return change(store_, [&](kv::Batch& batch) -> Result<void> {
        const auto value = read(store_, batch, domain_key(*name));
        if (!value) return value.error();
        if (*value) return Error{Errc::exists, "domain exists: " + *name};
        batch.operations.push_back(kv::Put{domain_key(*name), encode(DomainRow{})});
        return {};
    });
}

Result<void> Directory::remove_domain(std::string_view domain) {
    const auto name = canonical_domain(domain);
    if (!name) return no_domain(domain);
    return change(store_, [&](kv::Batch& batch) -> Result<void> {
        const auto value = read(store_, batch, domain_key(*name));
        if (!value) return value.error();
        if (!*value) return no_domain(*name);
        const auto row = decode_domain(*name, **value);
        if (!row) return row.error();
        if (row->users > 0) {
            return Error{Errc::conflict,
                         "domain has users: " + std::to_string(row->users) + "; remove them first"};
        }
        const auto aliases = store_.scan(shard, "A" + *name + '\0', "A" + *name + '\1', 1);
        if (!aliases) return aliases.error();
        if (!aliases->rows.empty()) {
            return Error{Errc::conflict, "domain has aliases; remove them first"};
        }
        batch.operations.push_back(kv::Erase{domain_key(*name)});
        return {};
    });
}

Result<std::vector<std::string>> Directory::domains() {
    std::vector<std::string> names;
    const auto walked = for_each(store_, "D", [&](std::string_view key, std::string_view) {
        names.emplace_back(key.substr(1));
        return Result<void>();
    });
    if (!walked) return walked.error();
    return names;
}

Result<bool> Directory::has_domain(std::string_view domain) {
    const auto name = canonical_domain(domain);
    if (!name) return false;
    const auto value = store_.get(shard, domain_key(*name));
    if (!value) return value.error();
    return value->has_value();
}

Result<User> Directory::add_user(std::string_view address, std::string password_hash) {
    const auto name = canonical_address(address);
    if (!name) return bad_address(address);
    if (password_hash.size() > max_password_hash_bytes) {
        return Error{Errc::invalid, "password hash is too long"};
    }
    User user{{}, name->local_part + '@' + name->domain, std::move(password_hash)};
    const auto added = change(store_, [&](kv::Batch& batch) -> Result<void> {
        const auto existing = read(store_, batch, user_key(*name));
        if (!existing) return existing.error();
        if (*existing) return Error{Errc::exists, "user exists: " + user.address};
        if (auto counted = count_users(store_, batch, name->domain, 1); !counted) return counted;
        const auto id = next_account(store_, batch);
        if (!id) return id.error();
        user.id = *id;
        batch.operations.push_back(kv::Put{user_key(*name), encode(user)});
        return {};
    });
    if (!added) return added.error();
    return user;
}

Result<void> Directory::set_password(std::string_view address, std::string password_hash) {
    const auto name = canonical_address(address);
    if (!name) return no_user(address);
    if (password_hash.size() > max_password_hash_bytes) {
        return Error{Errc::invalid, "password hash is too long"};
    }
    return change(store_, [&](kv::Batch& batch) -> Result<void> {
        const auto value = read(store_, batch, user_key(*name));
        if (!value) return value.error();
        if (!*value) return no_user(address);
        auto user = decode_user(std::string(address), **value);
        if (!user) return user.error();
        user->password_hash = password_hash;
        batch.operations.push_back(kv::Put{user_key(*name), encode(*user)});
        return {};
    });
}

Result<void> Directory::remove_user(std::string_view address) {
    const auto name = canonical_address(address);
    if (!name) return no_user(address);
    return change(store_, [&](kv::Batch& batch) -> Result<void> {
        const auto value = read(store_, batch, user_key(*name));
        if (!value) return value.error();
        if (!*value) return no_user(address);
        batch.operations.push_back(kv::Erase{user_key(*name)});
        return count_users(store_, batch, name->domain, -1);
    });
}

Result<std::vector<User>> Directory::users(std::string_view domain) {
    std::string prefix = "U";
    if (!domain.empty()) {
        const auto name = canonical_domain(domain);
        if (!name) return no_domain(domain);
        prefix = users_prefix(*name);
    }
    std::vector<User> found;
    const auto walked =
        for_each(store_, prefix, [&](std::string_view key, std::string_view value) -> Result<void> {
            const std::size_t end = key.find('\0');
            if (end == std::string_view::npos) return corrupt("a user");
            std::string address(key.substr(end + 1));
            address.append("@").append(key.substr(1, end - 1));
            auto user = decode_user(std::move(address), value);
            if (!user) return user.error();
            found.push_back(*std::move(user));
            return {};
        });
    if (!walked) return walked.error();
    std::sort(found.begin(), found.end(),
              [](const User& a, const User& b) { return a.address < b.address; });
    return found;
}

Result<std::optional<User>> Directory::find(std::string_view address) {
    const auto name = canonical_address(address);
    if (!name) return std::nullopt;
    const auto value = store_.get(shard, user_key(*name));
    if (!value) return value.error();
    if (!*value) return std::nullopt;
    auto user = decode_user(name->local_part + '@' + name->domain, **value);
    if (!user) return user.error();
    return std::optional<User>(*std::move(user));
}

}  // namespace postern::directory

#include "store/directory/credentials.h"

#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <functional>

namespace postern::directory {

namespace {

constexpr kv::ShardId shard{kv::ShardKind::directory, 0, 0};
constexpr std::uint8_t row_version = 1;
constexpr std::uint8_t app_row_version = 2;  // before the second there were no keys in it
constexpr int max_attempts = 64;

// "C" + account + kind: 's' SCRAM keys, 'a' app passwords; of account 0, which nobody has,
// 'd' the decoy secret.
std::string key_of(AccountId account, char kind) {
    return kv::RowWriter().u8('C').u64(account.value).u8(static_cast<std::uint8_t>(kind)).take();
}

Error corrupt(AccountId account) {
    return Error{Errc::corrupt,
                 "directory: unreadable credentials of account " + std::to_string(account.value)};
}

ScramKeys read_keys(kv::RowReader& reader) {
    ScramKeys keys;
    keys.salt = reader.bytes();
    keys.iterations = reader.u32();
    keys.stored_key = reader.bytes();
    keys.server_key = reader.bytes();
    return keys;
}

void write_keys(kv::RowWriter& writer, const ScramKeys& keys) {
    writer.bytes(keys.salt).u32(keys.iterations).bytes(keys.stored_key).bytes(keys.server_key);
}

Result<std::vector<AppPassword>> decode(AccountId account,
                                        const std::optional<std::string>& value) {
    std::vector<AppPassword> out;
    if (!value) return out;
    kv::RowReader reader(*value);
    const auto version = reader.u8();
    const auto count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        AppPassword each;
        each.name = reader.bytes();
        each.hash = reader.bytes();
        each.created = from_unix_ms(reader.signed_varint());
        if (version == app_row_version && reader.u8() != 0) each.scram = read_keys(reader);
        out.push_back(std::move(each));
    }
    const bool known = version == row_version || version == app_row_version;
    if (!known || !reader.done()) return corrupt(account);
    return out;
}

std::string encode(const std::vector<AppPassword>& all) {
    kv::RowWriter writer;
    writer.u8(app_row_version).varint(all.size());
    for (const auto& each : all) {
        writer.bytes(each.name).bytes(each.hash).signed_varint(to_unix_ms(each.created));
        writer.u8(each.scram ? 1 : 0);
        if (each.scram) write_keys(writer, *each.scram);
    }
    return writer.take();
}

Result<void> change(kv::Store& store, AccountId account,
                    const std::function<Result<void>(std::vector<AppPassword>&)>& edit) {
    const auto key = key_of(account, 'a');
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        const auto value = store.get(shard, key);
        if (!value) return value.error();
        auto all = decode(account, *value);
        if (!all) return all.error();
        if (auto edited = edit(*all); !edited) return edited;
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        batch.preconditions.push_back({key, *value});
        if (all->empty())
            batch.operations.emplace_back(kv::Erase{key});
        else
            batch.operations.emplace_back(kv::Put{key, encode(*all)});
        const auto outcome = store.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return {};
    }
    return Error{Errc::conflict, "directory: changed by others too often; try again"};
}

}  // namespace

Result<void> Credentials::set_scram(AccountId account, const ScramKeys& keys,
                                    std::string_view password_hash) {
    kv::RowWriter writer;
    writer.u8(row_version).bytes(password_hash);
    write_keys(writer, keys);
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    batch.operations.emplace_back(kv::Put{key_of(account, 's'), writer.take()});
    const auto outcome = store_.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    return {};
}

Result<std::optional<ScramKeys>> Credentials::scram(AccountId account,
                                                    std::string_view password_hash) {
    const auto value = store_.get(shard, key_of(account, 's'));
    if (!value) return value.error();
    if (!*value) return std::optional<ScramKeys>();
    kv::RowReader reader(**value);
    const auto version = reader.u8();
    const auto made_from = reader.bytes();
    auto keys = read_keys(reader);
    if (version != row_version || !reader.done()) return corrupt(account);
    if (made_from != password_hash) return std::optional<ScramKeys>();
    return std::optional<ScramKeys>(std::move(keys));
}

Result<std::string> Credentials::scram_salt(AccountId account) {
    const auto value = store_.get(shard, key_of(account, 's'));
    if (!value) return value.error();
    if (!*value) return std::string();
    kv::RowReader reader(**value);
    const auto version = reader.u8();
    reader.bytes();
    auto keys = read_keys(reader);
    if (version != row_version || !reader.done()) return corrupt(account);
    return std::move(keys.salt);
}

Result<std::string> Credentials::decoy_secret(std::string fresh) {
    const auto key = key_of(AccountId{0}, 'd');
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        auto value = store_.get(shard, key);
        if (!value) return value.error();
        if (*value) return std::move(**value);
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        batch.preconditions.push_back({key, std::nullopt});
        batch.operations.emplace_back(kv::Put{key, fresh});
        const auto outcome = store_.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return fresh;
    }
    return Error{Errc::conflict, "directory: changed by others too often; try again"};
}

Result<void> Credentials::add_app_password(AccountId account, AppPassword added) {
    const bool good = !added.name.empty() && added.name.size() <= max_app_password_name_bytes &&
                      std::all_of(added.name.begin(), added.name.end(), [](char c) {
                          return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
                      });
    if (!good) {
        return Error{Errc::invalid, "a name of 1 to " +
                                        std::to_string(max_app_password_name_bytes) +
                                        " bytes without control characters is expected"};
    }
    return change(store_, account, [&](std::vector<AppPassword>& all) -> Result<void> {
        const bool known = std::any_of(all.begin(), all.end(),
                                       [&](const auto& each) { return each.name == added.name; });
        if (known) return Error{Errc::exists, "there is an app password " + added.name};
        if (all.size() >= max_app_passwords) {
            return Error{Errc::limit, "the account has " + std::to_string(max_app_passwords) +
                                          " app passwords; remove one first"};
        }
        all.push_back(added);
        return {};
    });
}

Result<void> Credentials::remove_app_password(AccountId account, std::string_view name) {
    return change(store_, account, [&](std::vector<AppPassword>& all) -> Result<void> {
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const auto& each) { return each.name == name; });
        if (found == all.end()) {
            return Error{Errc::not_found, "no app password " + std::string(name)};
        }
        all.erase(found);
        return {};
    });
}

Result<std::vector<AppPassword>> Credentials::app_passwords(AccountId account) {
    const auto value = store_.get(shard, key_of(account, 'a'));
    if (!value) return value.error();
    return decode(account, *value);
}

}  // namespace postern::directory

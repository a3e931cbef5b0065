#include "store/directory/preferences.h"

#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>

namespace postern::directory {

namespace {

constexpr kv::ShardId shard{kv::ShardKind::directory, 0, 0};
constexpr std::uint8_t row_version = 1;
constexpr char prefix = 'P';  // and the account, big-endian
constexpr std::size_t max_mailbox_name_bytes = 1000;

std::string key_of(AccountId account) {
    return kv::RowWriter().u8(prefix).u64(account.value).take();
}

Error corrupt(AccountId account) {
    return {Errc::corrupt,
            "directory: unreadable preferences of account " + std::to_string(account.value)};
}

std::string encode(const Preferences& preferences) {
    kv::RowWriter row;
    row.u8(row_version).varint(preferences.pop3_expire_days);
    row.varint(preferences.pop3_mailboxes.size());
    for (const auto& each : preferences.pop3_mailboxes) row.bytes(each);
    return row.take();
}

Result<Preferences> decode(AccountId account, std::string_view value) {
    kv::RowReader reader(value);
    const auto version = reader.u8();
    Preferences out;
    out.pop3_expire_days = static_cast<std::uint32_t>(reader.varint());
    const auto count = reader.varint();
    if (version != row_version || count > max_pop3_mailboxes) return corrupt(account);
    out.pop3_mailboxes.clear();
    for (std::uint64_t i = 0; i < count; ++i) out.pop3_mailboxes.emplace_back(reader.bytes());
    if (!reader.done()) return corrupt(account);
    return out;
}

Result<void> check(const Preferences& preferences) {
    const auto& names = preferences.pop3_mailboxes;
    if (names.size() > max_pop3_mailboxes) {
        return Error{Errc::limit, "POP3 shows at most " + std::to_string(max_pop3_mailboxes) +
                                      " mailboxes of an account"};
    }
    const bool named = std::all_of(names.begin(), names.end(), [](const std::string& name) {
        return !name.empty() && name.size() <= max_mailbox_name_bytes;
    });
    if (names.empty() || !named) return Error{Errc::invalid, "expected the name of a mailbox"};
    if (preferences.pop3_expire_days > max_pop3_expire_days) {
        return Error{Errc::invalid,
                     "expected at most " + std::to_string(max_pop3_expire_days) + " days"};
    }
    return {};
}

}  // namespace

Result<Preferences> AccountPreferences::get(AccountId account) {
    const auto value = store_.get(shard, key_of(account));
    if (!value) return value.error();
    if (!*value) return Preferences{};
    return decode(account, **value);
}

Result<void> AccountPreferences::set(AccountId account, const Preferences& preferences) {
    if (auto good = check(preferences); !good) return good;
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    if (preferences == Preferences{}) {
        batch.operations.emplace_back(kv::Erase{key_of(account)});
    } else {
        batch.operations.emplace_back(kv::Put{key_of(account), encode(preferences)});
    }
    const auto outcome = store_.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    return {};
}

Result<std::vector<std::pair<AccountId, Preferences>>> AccountPreferences::all() {
    std::vector<std::pair<AccountId, Preferences>> found;
    std::string from(1, prefix);
    const std::string to(1, prefix + 1);
    for (bool more = true; more;) {
        const auto page = store_.scan(shard, from, to, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            kv::RowReader key(row.key);
            key.u8();
            const AccountId account{key.u64()};
            auto preferences = decode(account, row.value);
            if (!key.done()) return corrupt(account);
            if (!preferences) return preferences.error();
            found.emplace_back(account, std::move(*preferences));
        }
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return found;
}

}  // namespace postern::directory

// What an account wants otherwise than most: set by the admin, read at each use.
//
// Thread rule: any function from any thread. Changing functions wait for durability.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::directory {

inline constexpr std::size_t max_pop3_mailboxes = 20;
inline constexpr std::uint32_t max_pop3_expire_days = 3650;

struct Preferences {
    // What POP3 shows, one after the other.
    std::vector<std::string> pop3_mailboxes = {"INBOX"};
    // Messages that POP3 shows are removed when they are so old, read or not; 0: never.
    std::uint32_t pop3_expire_days = 0;
    bool operator==(const Preferences&) const = default;
};

class AccountPreferences {
public:
    explicit AccountPreferences(kv::Store& store) : store_(store) {}

    // The defaults where nothing was set.
    Result<Preferences> get(AccountId account);
    // Errors: invalid (no mailbox, an empty or over-long name, too many days), limit (mailboxes).
    Result<void> set(AccountId account, const Preferences& preferences);
    // Of all accounts that have other than the defaults, ascending by account.
    Result<std::vector<std::pair<AccountId, Preferences>>> all();

private:
    kv::Store& store_;
};

}  // namespace postern::directory

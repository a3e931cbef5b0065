// What an account may log in with besides its password: SCRAM keys made from it, and app passwords.
//
// Thread rule: any function from any thread. Changing functions wait for durability.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::directory {

inline constexpr std::size_t max_app_passwords = 100;  // of one account
inline constexpr std::size_t max_app_password_name_bytes = 64;

// RFC 5802, RFC 7677. All opaque here.
struct ScramKeys {
    std::string salt;
    std::uint32_t iterations = 0;
    std::string stored_key;
    std::string server_key;
};

struct AppPassword {
    std::string name;  // one of a kind within the account: "phone"
    std::string hash;  // of the secret; opaque here
    Time created;
    // Made with the salt of the account's own, so that one challenge serves both; none: made when
    // the account had none.
    std::optional<ScramKeys> scram = std::nullopt;
};

class Credentials {
public:
    explicit Credentials(kv::Store& store) : store_(store) {}

    // `password_hash` is the account's own at that time: keys of another password count for
    // nothing.
    Result<void> set_scram(AccountId account, const ScramKeys& keys,
                           std::string_view password_hash);
    // nullopt: none, or made from another password than the one with that hash.
    Result<std::optional<ScramKeys>> scram(AccountId account, std::string_view password_hash);

    // The salt of the account's keys, of whatever password; empty: it has none. Who changes the
    // password keeps it, for the keys of the app passwords depend on it.
    Result<std::string> scram_salt(AccountId account);

    // What unknown users' salts are made of: the first `fresh` that was ever given, random bytes.
    Result<std::string> decoy_secret(std::string fresh);

    // Errors: exists (name), invalid (name), limit.
    Result<void> add_app_password(AccountId account, AppPassword added);
    Result<void> remove_app_password(AccountId account, std::string_view name);  // not_found
    Result<std::vector<AppPassword>> app_passwords(AccountId account);

private:
    kv::Store& store_;
};

}  // namespace postern::directory

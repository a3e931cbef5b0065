// Domains and users. Small rows, read straight from the store at each use, so that the command line
// and a running daemon see each other's changes at once.
//
// Thread rule: any function from any thread. Changing functions wait for durability.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::directory {

inline constexpr std::size_t max_local_part_bytes = 64;  // RFC 5321 section 4.5.3.1.1
inline constexpr std::size_t max_domain_bytes = 255;     // RFC 5321 section 4.5.3.1.2

inline constexpr std::size_t max_password_hash_bytes = 1024;

struct User {
    AccountId id;
    std::string address;        // local@domain, lower case
    std::string password_hash;  // PHC string (argon2id); empty: no password login. Opaque here.
};

class Directory {
public:
    explicit Directory(kv::Store& store) : store_(store) {}

    // Domain names are given in ASCII (A-labels), any case. Errors: exists, invalid.
    Result<void> add_domain(std::string_view domain);
    // Errors: not_found, conflict (users or aliases left).
    Result<void> remove_domain(std::string_view domain);
    Result<std::vector<std::string>> domains();
    Result<bool> has_domain(std::string_view domain);

    // Errors: not_found (domain), exists, invalid (address, or a password hash that is too long).
    Result<User> add_user(std::string_view address, std::string password_hash);
    Result<void> set_password(std::string_view address, std::string password_hash);
    Result<void> remove_user(std::string_view address);
    // Ascending by address; `domain` empty: of all domains.
    Result<std::vector<User>> users(std::string_view domain);
    // nullopt: no such user. Local parts compare without regard to ASCII case.
    Result<std::optional<User>> find(std::string_view address);

private:
    kv::Store& store_;
};

}  // namespace postern::directory

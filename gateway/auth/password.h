// Password hashes: argon2id (RFC 9106) as PHC strings. The one door to libargon2.
//
// Thread rule: any function from any thread. Each takes about 25 ms of CPU and 19 MiB of memory on
// purpose: never on a session's core (net::WorkPool runs it elsewhere).
#pragma once

#include "protocols/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::auth {

inline constexpr std::size_t max_password_bytes = 1024;

// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash", with a salt of its own. Errors: invalid (empty, too
// long), unavailable (no memory, no random bytes).
Result<std::string> hash_password(std::string_view password);

// False also for a hash that is no argon2id PHC string. Takes the same time for a right and a wrong
// one.
bool verify_password(std::string_view phc, std::string_view password);

// A hash that no password fits, so that an unknown user costs as much time as a known one.
const std::string& impossible_hash();

}  // namespace postern::auth

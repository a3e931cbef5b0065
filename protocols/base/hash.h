// Non-cryptographic 64-bit hashing (XXH3, xxhash.com): stable across machines and releases, so it
// may be stored. Not for anything an attacker gains from colliding without a secret seed.
#pragma once

#include <cstdint>
#include <string_view>

namespace postern {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);
// XXH64, the older one: for what other programs hashed with it.
std::uint64_t xxh64(std::string_view bytes, std::uint64_t seed);

}  // namespace postern

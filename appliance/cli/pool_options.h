// Putting a user into a quota pool, from `pool assign` and `user add --pool`.
#pragma once

#include "appliance/cli/store_access.h"
#include "store/mail/pools.h"

#include <string>

namespace postern::cli {

inline constexpr const char* no_pool = "none";

// What one user may use at most, as given; empty: no such limit.
struct CapTexts {
    std::string bytes, messages;
};

// `pool` may be no_pool. Errors: not_found, invalid, unavailable.
Result<void> assign_pool(StoreAccess& store, const std::string& address, const std::string& pool,
                         const CapTexts& cap);

}  // namespace postern::cli
